#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The check itself must find what it is for: each bad line in a copy of the sources makes it fail.
# usage: test_one_door.sh SOURCE_FOLDER
set -eu
check=$1/tests/architecture/one_door.sh
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$1" && tar cf - src apps bench) | tar xf - -C "$copy"

"$check" "$1"
expect_refusal() {
    cp "$copy/$1" "$copy/kept"
    printf 'static void bad(void) {\n    %s\n}\n' "$2" >>"$copy/$1"
    if "$check" "$copy" "$1" >"$copy/said"; then
        echo "not refused: $2 in $1" >&2
        exit 1
    fi
    grep -q "^$1:" "$copy/said"
    mv "$copy/kept" "$copy/$1"
}
expect_refusal apps/cli/info/info.c 'printf("%s", path);'
expect_refusal apps/cli/info/info.c 'fputs(path, stdout);'
expect_refusal apps/cli/evaluate/plot.c 'fprintf(
        stderr, "%s", path);'
expect_refusal apps/cli/info/info.c 'write(STDOUT_FILENO, path, 1);'
expect_refusal apps/cli/info/info.c 'perror(path);'
expect_refusal apps/cli/info/info.c 'setlocale(LC_ALL, "");'
expect_refusal apps/cli/info/info.c 'json_loads(text, 0, NULL);'
expect_refusal apps/cli/info/info.c 'if (strcasecmp(a, b) == 0) {}'
expect_refusal bench/measure.c 'puts("x");'
expect_refusal bench/machine.c 'sscanf(text, "%d", &number);'
expect_refusal src/io/json/read.c 'snprintf(text, size, "%s is %.3f", name, value);'
expect_refusal src/io/json/read.c 'vsnprintf(text, size, format, arguments);'
expect_refusal src/io/pictures/png_read.c 'value = strtod(text, NULL);'
expect_refusal src/io/pictures/png_read.c 'if (isdigit(text[0])) {}'
expect_refusal src/io/pictures/png_read.c 'printf("x");'
expect_refusal src/io/pictures/png_read.c 'abort();'
expect_refusal src/pipeline/info.c 'if (info->struct_size != sizeof *info) {}'
expect_refusal src/pipeline/info.c 'if (sizeof *info < info->struct_size) {}'
expect_refusal src/io/pictures/png_read.c 'char *text = json_dumps(value, 0);'
expect_refusal src/io/pictures/png_read.c 'json_object_set_new(object, "x", value);'
expect_refusal src/io/pictures/png_read.c 'json_set_alloc_funcs(malloc, free);'

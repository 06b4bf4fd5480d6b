#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What has one door uses no other: printing of the program (apps/cli/terminal/output.c), numbers and letters of the library
# (core/text.h), sizes of callers' structs (core/sized.c), JSON in the library (io/json/read.c, io/json/build.c) and in the
# program (apps/cli/values/json_values.c) and the server (apps/server/base/json.c).
# usage: one_door.sh SOURCE_FOLDER [FILE...]    the files, or all
set -eu
cd "$1"
shift
least=1
if [ $# -eq 0 ]; then
    least=50
    # shellcheck disable=SC2046
    set -- $(find src apps bench -name '*.[ch]' | sort)
fi

# shellcheck disable=SC2016
awk -v least=$least '
    function refuse(why) {
        printf "%s:%d: %s: %s\n", FILENAME, first, why, substr(statement, 1, 120)
        bad++
    }
    # A call of one of the functions, not a longer name that ends in the same letters.
    function calls(names) { return statement ~ "(^|[^A-Za-z0-9_])(" names ")[ \t]*\\(" }
    function check() {
        program = FILENAME ~ /^apps\/cli\//
        library = FILENAME ~ /^src\//
        code = statement
        gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
        gsub(/isatty\([A-Z_]*\)|ioctl\([A-Z_]*/, "", code)
        if (FILENAME != "apps/cli/terminal/output.c" && FILENAME ~ /^(apps|bench)\//) {
            if (calls("printf|puts|putchar|vprintf|perror|psignal")) refuse("prints past terminal/output.h")
            if (code ~ /(^|[^A-Za-z0-9_])(stdout|stderr|STDOUT_FILENO)([^A-Za-z0-9_]|$)/ &&
                FILENAME != "apps/cli/files/whole_file.c") refuse("writes past terminal/output.h")
        }
        if (library && calls("printf|puts|putchar|vprintf|perror|abort|exit|_exit|assert|err|warn"))
            refuse("the library prints and aborts nowhere")
        if (library && FILENAME != "src/core/sized.c") {
            sizes = code
            gsub(/->/, ".", sizes)
            if (sizes ~ /struct_size[ \t]*(==|!=|<|>)|(==|!=|<|>)[^;,=]*[.]struct_size/)
                refuse("the size of a struct of a caller: core/sized.h")
        }
        if (library && FILENAME != "src/core/text.c") {
            # %f and its kin, and formats that come from elsewhere, depend on the locale
            if (calls("v?snprintf|v?sprintf|v?fprintf|asprintf") &&
                (statement ~ /%[-+ #0-9.*]*(l|L)?[aAeEfFgG]/ || calls("vsnprintf|vsprintf|vfprintf")))
                refuse("a number of the locale: pld_print_text")
        }
        if (FILENAME != "src/core/text.c" && (library || FILENAME ~ /^bench\//))
            if (calls("strto[a-z]+|ato[a-z]+|v?[fs]?scanf|is(alpha|alnum|digit|xdigit|space|upper|lower|print|punct|cntrl)|to(upper|lower)|strn?casecmp|strcoll|localeconv|wcs[a-z]+|mbs[a-z]+"))
                refuse("reads by the locale: core/text.h")
        if (program && calls("ato[a-z]+|v?[fs]?scanf|is(alpha|alnum|digit|xdigit|space|upper|lower|print|punct|cntrl)|to(upper|lower)|strn?casecmp|strcoll|localeconv|wcs[a-z]+|mbs[a-z]+"))
            refuse("reads by the locale: values/ascii.h, values/number.h")
        if (calls("setlocale") && FILENAME != "apps/cli/main.c") refuse("the locale belongs to the host program")
        if (library && FILENAME !~ /^src\/io\/json\/(read|build)\.c$/) {
            if (calls("json_load[a-z]*|json_dump[a-z]*")) refuse("JSON past io/json/read.h and io/json/build.h")
            if (code ~ /^[ \t]*json_(object_set_new|array_append_new|object_set|array_append)[a-z_]*\(/)
                refuse("a step that is not checked: pld_json_put, pld_json_append")
        }
        if (program && FILENAME != "apps/cli/values/json_values.c" && calls("json_load[a-z]*|json_dump[a-z]*"))
            refuse("JSON past values/json_values.h")
        if (FILENAME ~ /^apps\/server\// && FILENAME != "apps/server/base/json.c" && calls("json_load[a-z]*|json_dump[a-z]*"))
            refuse("JSON past base/json.h")
        if (calls("json_set_alloc_funcs2?") && FILENAME != "apps/cli/values/json_values.c")
            refuse("jansson belongs to the host program too")
        statement = ""
    }
    FNR == 1 { files++; statement = ""; comment = 0 }
    {
        line = $0
        if (comment) {
            if (line !~ /\*\//) next
            sub(/^.*\*\//, "", line)
            comment = 0
        }
        gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
        if (line ~ /\/\*/) { sub(/\/\*.*$/, "", line); comment = 1 }
        if (line ~ /^[ \t]*#[ \t]*include/) next
        if (statement == "") first = FNR
        statement = statement " " line
        if (line ~ /[;{}][ \t]*$/) check()
    }
    END {
        printf "%d files, %d calls past a door\n", files, bad
        exit bad > 0 || files < least
    }' "$@"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A source folder without git, as from an archive, and a machine without cmocka: it configures without tests, nothing
# complains, and the revision is unknown, also where the folder lies in another project's work tree.
# usage: archive.sh SOURCE_FOLDER
set -eu
source=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

fail() {
    echo "$*" >&2
    sed 's/^/    /' "$place/log" >&2
    exit 1
}

mkdir "$place/pladis"
(cd "$source" && tar -c --exclude=./.git --exclude=./.cache --exclude='./build*' --exclude=./tests/data .) |
    tar -x -C "$place/pladis"
if command -v git >/dev/null; then git -C "$place" init -q; fi
cd "$place/pladis"

meson setup build -Dtests=false >"$place/log" 2>&1 || fail "meson setup -Dtests=false failed"
if grep -q cmocka "$place/log"; then fail "cmocka is looked for without tests"; fi
meson introspect build --tests >"$place/log"
[ "$(tr -d ' \n' <"$place/log")" = '[]' ] || fail "there are tests with -Dtests=false"
meson introspect build --targets >"$place/log"
if grep -q '"name": "\(test_\|fuzz_\|libfuzzer_\|checkasm\)' "$place/log"; then fail "test programs with -Dtests=false"; fi

ninja -C build bench/commit.h >"$place/log" 2>&1 || fail "the revision cannot be made"
grep -q 'PLADIS_COMMIT "unknown"' build/bench/commit.h || fail "the revision is not unknown: $(cat build/bench/commit.h)"
if grep -qi 'fatal\|not a git\|warning' "$place/log"; then fail "git complains"; fi

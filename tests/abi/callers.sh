#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs that were built with other headers run with the present library: those of libpladis.so.1's first version,
# and copies of the present ones in which each struct lacks fields or has more.
# usage: callers.sh SOURCE_FOLDER LIBRARY_FOLDER
set -eu
source=$1 library=$2
: "${SANITIZE:=}"
compiler=${CC:-cc}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
here=$source/tests/abi

fail() {
    echo "$*" >&2
    exit 1
}

# Build and run caller.c with the headers in $2; further arguments are the compiler's.
run() {
    name=$1 headers=$2
    shift 2
    # Options are several words.
    # shellcheck disable=SC2086
    $compiler -std=c11 -Wall -Wextra -Werror $SANITIZE "$@" -I"$headers" "$here/caller.c" -L"$library" -lpladis \
        "-Wl,-rpath,$library" -o "$place/$name" || fail "$name: does not build"
    "$place/$name" "$source/tests/data/reference/models/sd15" "$source/tests/data/loras/files/kohya.safetensors" \
        "$source/tests/data/scoring/true.png" >"$place/$name.out" || fail "$name: failed"
    diff "$place/present.out" "$place/$name.out" >&2 ||
        fail "$name: finds something else than a program with the present headers"
}

# A copy of the headers in which structs are edited: see edit_structs.awk.
edit() {
    name=$1
    shift
    mkdir -p "$place/$name-headers/pladis"
    for header in "$source"/include/pladis/*.h; do
        awk -v drop=0 -v share=0 "$@" -f "$here/edit_structs.awk" "$header" \
            >"$place/$name-headers/pladis/$(basename "$header")"
    done
}

run present "$source/include"
grep -q '^picture 64 x 64' "$place/present.out" || fail "no picture was drawn"

run baseline "$here/baseline"
edit one -v drop=1
run one "$place/one-headers" -DCUT
edit quarter -v drop=1 -v share=0.25
run quarter "$place/quarter-headers" -DCUT
edit grown -v grow=1
run grown "$place/grown-headers" -DGROWN
echo "present, baseline, one field less, a quarter less, two fields more: the same"

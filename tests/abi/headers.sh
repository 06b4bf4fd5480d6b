#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each public header by itself and all together, in every standard of C and C++ that the compilers here know, without
# a warning.
# usage: headers.sh SOURCE_FOLDER
set -eu
source=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
count=0

# Compile with compiler $1 and standard $3 in language $2, if it knows that.
compile() {
    echo 'int known;' >"$place/known.$2"
    "$1" "-std=$3" -fsyntax-only "$place/known.$2" 2>/dev/null || return 0
    "$1" "-std=$3" -Wall -Wextra -Wpedantic -Werror -I"$source/include" -fsyntax-only "$place"/header_*."$2" || {
        echo "$1 -std=$3: not without a word" >&2
        exit 1
    }
    count=$((count + 1))
}

for header in "$source"/include/pladis/*.h; do
    name=$(basename "$header" .h)
    printf '#include <pladis/%s.h>\n' "$name" "$name" >"$place/header_$name"
    cat "$place/header_$name" >>"$place/all"
done
mv "$place/all" "$place/header_all"
for file in "$place"/header_*; do
    echo 'extern int more;' >>"$file" # version.h alone declares nothing
    cp "$file" "$file.c"
    mv "$file" "$file.cpp"
done
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    for standard in c99 c11 c17 c23 c2x; do compile "$compiler" c "$standard"; done
done
for compiler in g++ clang++; do
    command -v "$compiler" >/dev/null || continue
    for standard in c++11 c++14 c++17 c++20 c++23 c++2b; do compile "$compiler" cpp "$standard"; done
done
[ "$count" -gt 0 ] || exit 77
echo "$count compilers and standards"

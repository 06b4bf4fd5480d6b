#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The interface of libpladis.so.1 only grows. What its first headers name is there, declared the same, at the same
# place and with the same value; new fields come behind the old ones, for which no struct has room at its end; the
# library shows the functions of its headers and no others.
# usage: interface.sh SOURCE_FOLDER LIBRARY
set -eu
source=$1 library=$2
compiler=${CC:-cc}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
here=$source/tests/abi

fail() {
    echo "$*" >&2
    exit 1
}

headers=$(cd "$source/include/pladis" && ls)
first=$(cd "$here/baseline/pladis" && ls)
includes() {
    for header in "$@"; do echo "#include <pladis/$header>"; done
}
list() {
    folder=$1
    shift
    for header in "$@"; do awk -v list=1 -f "$here/edit_structs.awk" "$folder/pladis/$header"; done
}
# Header names are words.
# shellcheck disable=SC2086
{
    list "$source/include" $headers >"$place/present"
    list "$here/baseline" $first >"$place/baseline"
}
[ "$(grep -c '^function' "$place/baseline")" -ge 80 ] || fail "the list of the first headers lacks functions"
[ "$(grep -vc '^function\|^enumerator' "$place/baseline")" -ge 250 ] || fail "the list of the first headers lacks fields"

# Old declarations beside the present headers: the compiler sees where they differ.
# shellcheck disable=SC2086
{
    includes $headers
    sed -n 's/^function //p' "$place/baseline"
} >"$place/functions.c"
$compiler -std=c17 -Wall -Werror -I"$source/include" -fsyntax-only "$place/functions.c" ||
    fail "a function is not declared as it was"

# A program that prints where each field of the list $1 is, and the values of its enumerators.
places() {
    echo '#include <stddef.h>'
    echo '#include <stdio.h>'
    # shellcheck disable=SC2086
    includes $first
    echo 'int main(void) {'
    sed -n 's/^\(pld_[a-z_]*\) \([a-z_0-9]*\)$/printf("\1.\2 %zu, %zu bytes\\n", offsetof(\1, \2), sizeof(((\1 *)0)->\2));/p' "$1"
    # the number of things may grow
    sed -n '/_COUNT$/d; s/^enumerator \(.*\)/printf("\1 %lld\\n", (long long)\1);/p' "$1"
    echo 'return 0; }'
}
places "$place/baseline" >"$place/places.c"
$compiler -w -I"$source/include" "$place/places.c" -o "$place/now" || fail "a field or an enumerator is gone"
$compiler -w -I"$here/baseline" "$place/places.c" -o "$place/then"
"$place/now" >"$place/now.out"
"$place/then" >"$place/then.out"
diff "$place/then.out" "$place/now.out" >&2 || fail "a field has moved, or an enumerator has another value"

# Each struct of the present ends with its last field; where it begins with no struct_size it is as it was.
# shellcheck disable=SC2086
{
    includes $headers
    awk '!/^function|^enumerator/ {
        if ($1 != name && name != "") print name, last, sized
        if ($1 != name) { name = $1; sized = $2 == "struct_size" }
        last = $2
    } END { print name, last, sized }' "$place/present" | while read -r name last sized; do
        echo "_Static_assert(offsetof($name, $last) + sizeof((($name *)0)->$last) == sizeof($name), \"$name has room at its end: move a smaller field to the front, or fill it\");"
        if [ "$sized" = 0 ]; then
            case $name in
            pld_error | pld_image) ;;
            *) echo "_Static_assert(0, \"$name does not begin with struct_size\");" ;;
            esac
        fi
    done
} >"$place/ends.c"
sed -i '1i #include <stddef.h>' "$place/ends.c"
$compiler -std=c17 -I"$source/include" -fsyntax-only "$place/ends.c" || fail "a struct that cannot grow"

# The map, the headers and the library name the same functions.
sed -n 's/^    \(pld_[a-z_0-9]*\);$/\1/p' "$source/src/pladis.map" | sort >"$place/map"
sed -n 's/^function [^(]*\(pld_[a-z_0-9]*\) *(.*/\1/p' "$place/present" | sort >"$place/declared"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$place/shown"
diff "$place/declared" "$place/map" >&2 || fail "src/pladis.map (>) and the headers (<) differ"
diff "$place/map" "$place/shown" >&2 || fail "src/pladis.map (<) and what the library shows (>) differ"
nm -D --defined-only "$library" | grep -q 'pld_generate@@PLADIS_1$' || fail "the functions have no version"
readelf -d "$library" | grep -q 'SONAME.*\[libpladis\.so\.1\]' || fail "the library is not libpladis.so.1"
echo "$(wc -l <"$place/shown") functions, $(wc -l <"$place/now.out") fields and enumerators"

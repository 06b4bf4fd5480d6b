#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install into an empty folder, then build the examples against what was installed and run them.
# usage: test_install.sh BUILD_FOLDER SOURCE_FOLDER PREFIX
set -eu
build=$1 source=$2 prefix=$3
: "${SANITIZE:=}"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
root=$place/root

meson install -C "$build" --destdir "$root" --no-rebuild --quiet

fail() {
    echo "$*" >&2
    exit 1
}
for header in "$source"/include/pladis/*.h; do
    cmp -s "$header" "$root$prefix/include/pladis/$(basename "$header")" || fail "not installed: $(basename "$header")"
done
for file in bin/pladis share/man/man1/pladis.1 share/bash-completion/completions/pladis \
    share/zsh/site-functions/_pladis share/fish/vendor_completions.d/pladis.fish; do
    [ -f "$root$prefix/$file" ] || fail "not installed: $file"
done
# Vocabularies that were fetched.
for file in bpe_simple_vocab_16e6.txt.gz qwen3/tokenizer.json.gz t5/tokenizer.json sana/complex_instruction.txt; do
    [ ! -f "$source/.cache/vocabulary/$file" ] || [ -f "$root$prefix/share/pladis/vocabulary/$file" ] ||
        fail "not installed: vocabulary $file"
done
archive=$(find "$root$prefix" -name libpladis.a)
[ -n "$archive" ] || fail "not installed: libpladis.a"
folder=$(dirname "$archive")
[ -e "$folder/libpladis.so" ] || fail "not installed: libpladis.so"

# Of the shared library only what the headers name can be seen.
hidden=$(nm -D --defined-only "$folder/libpladis.so" | awk '$2 ~ /[TDBRV]/ { sub(/@.*/, "", $3); print $3 }' |
    while read -r symbol; do
        grep -qrw "$symbol" "$root$prefix/include/pladis" || echo "$symbol"
    done)
[ -z "$hidden" ] || fail "exported, but in no public header: $hidden"

# Products and threads are the library's own. (The sanitizers' runtime is written in C++.)
foreign_libraries='dnnl|stdc|omp'
[ -z "${SANITIZE:-}" ] || foreign_libraries='dnnl|omp'
for file in "$folder/libpladis.so" "$root$prefix/bin/pladis"; do
    foreign=$(ldd "$file" | grep -E "$foreign_libraries" || true)
    [ -z "$foreign" ] || fail "$file loads $foreign"
done

# Only the place differs from an installation for good.
PKG_CONFIG_PATH=$folder/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
flags=$(pkg-config --define-variable=prefix="$root$prefix" --cflags --libs pladis)
compiler=${CC:-cc}
export LD_LIBRARY_PATH="$folder"
for example in generate attention memory two_sessions; do
    # Flags are several words.
    # shellcheck disable=SC2086
    $compiler -std=c17 -Wall -Werror $SANITIZE -pthread "$source/examples/$example.c" $flags -lm -o "$place/$example"
done
"$place/attention" >/dev/null || fail "the attention example failed"
"$place/memory" "$source/tests/data/reference/models/sd15" "a red fox" >/dev/null 2>&1 || fail "the memory example failed"
"$place/two_sessions" "$source/tests/data/reference/models/sd15" >/dev/null || fail "the two_sessions example failed"
"$place/generate" "$source/tests/data/reference/models/sd15" "a red fox" "$place/fox.png" ||
    fail "the generate example failed"
[ "$(head -c 4 "$place/fox.png" | tail -c 3)" = PNG ] || fail "the example wrote no PNG"

# The installed program runs from there.
"$root$prefix/bin/pladis" --version | grep -q '^pladis [0-9]' || fail "the installed program does not run"
echo "installed, built and run: $(ls "$place")"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Text files that people wrote on other systems: prompts and the files of a model.
. "$2/tests/cli/common.sh"

draw() {
    expect 0 generate -m "$model" -W 64 -H 64 --steps 3 "$@"
}
printf 'a red fox\n\na blue fox\n' >prompts.txt
draw --prompt-file prompts.txt -q -o file.png
# Files of other systems hold the same prompts: marks, line ends, encodings.
mkdir systems
{ printf '\357\273\277'; sed 's/$/\r/' prompts.txt; } >systems/marked.txt
tr '\n' '\r' <prompts.txt >systems/old.txt
{ printf '\377\376'; iconv -f UTF-8 -t UTF-16LE prompts.txt; } >systems/wide.txt
{ printf '\376\377'; iconv -f UTF-8 -t UTF-16BE prompts.txt; } >systems/big.txt
for text in marked old wide big; do
    draw --prompt-file systems/$text.txt -q -o systems/$text.png
    for picture in file*.png; do
        cmp "$picture" "systems/$text${picture#file}" || fail "systems/$text.txt holds other prompts"
    done
done
expect 0 tokenize -m "$model" --json 'a fox'
cp "$place/out" systems/tokens
printf '\357\273\277a fox\r\n' | "$pladis" tokenize -m "$model" --json - >"$place/out"
cmp "$place/out" systems/tokens || fail "a mark on standard input is taken as text"
printf 'a fox\000a dog\n' >systems/zero.txt
refused 1 'systems/zero.txt: line 1: found a zero byte' generate --prompt-file systems/zero.txt
printf 'a\000 \000f\000' >systems/unmarked.txt
refused 1 'saved as UTF-8' generate --prompt-file systems/unmarked.txt
head -c 16777217 /dev/zero | tr '\000' a >systems/long.txt
refused 1 'systems/long.txt: expected at most 16777216 bytes, found 16777217' generate --prompt-file systems/long.txt
# So may every file of a model be.
cp -r "$model" systems/model
chmod -R u+w systems/model
find systems/model -name '*.json' -o -name 'merges.txt' | while read -r text; do
    { printf '\357\273\277'; sed 's/$/\r/' "$text"; } >systems/copy
    cp systems/copy "$text"
done
draw -p 'a fox' --no-metadata -q -o systems/plain.png
expect 0 generate -m systems/model -W 64 -H 64 --steps 3 -p 'a fox' --no-metadata -q -o systems/marked.png
cmp systems/plain.png systems/marked.png || fail "marks in the files of a model change the picture"

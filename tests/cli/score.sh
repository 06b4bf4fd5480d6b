#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pladis score: what a picture shows, with and without a caption.
. "$2/tests/cli/common.sh"

expect 0 generate -p 'a red circle' --steps 1 -t 1 -q -o drawn.png
expect 0 score drawn.png
said '^drawn.png: [0-9]* things\{0,1\} on a [a-z ]* background$'
expect 0 score drawn.png -p 'a red circle'
said 'colors: count [a-z]*, shape [a-z]*, colour [a-z]*, binding [a-z]*, all [a-z]*$'
printf 'a red circle\ntwo rings\n' >captions.txt
expect 0 score drawn.png drawn.png --prompts captions.txt --json
[ "$(wc -l <"$place/out")" -eq 2 ] || fail "two lines expected"
said '"category":"counting"'
said '"verdict":{"count":\(true\|false\),"background":null,'

refused 2 'expected a picture' score
refused 2 'word 2 (column 3)' score drawn.png -p 'a fox'
refused 2 'cannot be used together' score drawn.png -p 'a star' --prompts captions.txt
refused 2 'found 2 captions for 1 pictures' score drawn.png --prompts captions.txt
refused 1 'missing.png' score missing.png
printf 'no picture' >text.png
refused 1 'text.png' score text.png
expect 0 score --help
said 'usage: pladis score'

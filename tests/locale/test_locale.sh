#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The library inside a program, and the program itself, under locales that write 1,5 for 1.5, group thousands, have a
# decimal point of two bytes, and another capital of i. The locales are made here: no package is needed.
# usage: test_locale.sh TEST_PROGRAM PLADIS SOURCE_FOLDER
set -eu
program=$(realpath "$1")
pladis=$(realpath "$2")
source=$(realpath "$3")
if ! command -v localedef >/dev/null; then
    echo "localedef is not there: skipped"
    exit 77
fi
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# charmap LAST_BYTE EXTRA_LINES: a character set of single bytes and what follows
charmap() {
    printf '<code_set_name> TEST\n<comment_char> %%\n<escape_char> /\n<mb_cur_min> 1\n<mb_cur_max> 2\nCHARMAP\n'
    awk -v last="$1" 'BEGIN { for (i = 0; i <= last; i++) printf "<U%04X> /x%02x\n", i, i }'
    printf '%bEND CHARMAP\n' "$2"
}

# source_text DECIMAL_POINT CAPITAL_OF_i SMALL_OF_I
source_text() {
    awk -v point="$1" -v capital="$2" -v small="$3" 'BEGIN {
        print "comment_char %\nescape_char /\nLC_CTYPE"
        for (i = 65; i <= 90; i++) {
            upper = upper sprintf("<U%04X>;", i)
            lower = lower sprintf("<U%04X>;", i + 32)
            pair = i == 73 ? "(<U0069>,<" capital ">)" : sprintf("(<U%04X>,<U%04X>)", i + 32, i)
            to_upper = to_upper pair ";"
            pair = i == 73 ? "(<U0049>,<" small ">)" : sprintf("(<U%04X>,<U%04X>)", i, i + 32)
            to_lower = to_lower pair ";"
        }
        print "upper " upper "<" capital ">\nlower " lower "<" small ">"
        print "toupper " substr(to_upper, 1, length(to_upper) - 1)
        print "tolower " substr(to_lower, 1, length(to_lower) - 1)
        print "digit <U0030>;<U0031>;<U0032>;<U0033>;<U0034>;<U0035>;<U0036>;<U0037>;<U0038>;<U0039>"
        print "space <U0009>;<U000A>;<U000B>;<U000C>;<U000D>;<U0020>\nEND LC_CTYPE"
        print "LC_NUMERIC\ndecimal_point \"<" point ">\"\nthousands_sep \"<U002E>\"\ngrouping 3;3\nEND LC_NUMERIC"
    }'
}

charmap 255 '' >"$place/bytes.map"
charmap 127 '<U066B> /xd9/xab\n' >"$place/two.map"
source_text U002C U00DD U00FD >"$place/comma.src"
source_text U066B U0049 U0069 >"$place/two.src"
# Other categories are missing, which localedef complains of.
localedef -c --quiet -i "$place/comma.src" -f "$place/bytes.map" "$place/comma" >"$place/said" 2>&1 || true
localedef -c --quiet -i "$place/two.src" -f "$place/two.map" "$place/two" >>"$place/said" 2>&1 || true
for name in comma two; do
    if [ ! -f "$place/$name/LC_NUMERIC" ]; then
        cat "$place/said"
        echo "localedef makes no locale here: skipped"
        exit 77
    fi
done

export LOCPATH="$place"
for name in comma two; do
    mkdir "$place/work-$name"
    "$program" "$name" "$source" "$place/work-$name"
done

# The program: the same bytes whatever the environment says.
draw() {
    mkdir "$place/drawn-$1"
    cd "$place/drawn-$1"
    LC_ALL=$1 "$pladis" generate -m "$source/tests/data/reference/models/sd15" -p "a (red:1.25) fox" --steps 2 -W 16 -H 16 -t 1 -q \
        --cfg-scale 4.5 -o x.png --attention-stats s.csv 2>err
    LC_ALL=$1 "$pladis" info x.png >out
    LC_ALL=$1 "$pladis" list guidance >>out
    LC_ALL=$1 "$pladis" tokenize -m "$source/tests/data/reference/models/sd15" "a (red:1.25) fox" >>out
    cd ..
}
for name in C comma two; do
    draw "$name"
    for file in x.png s.csv out err; do
        cmp "$place/drawn-C/$file" "$place/drawn-$name/$file"
    done
done
grep -q 'CFG scale: 4.5' "$place/drawn-C/out"

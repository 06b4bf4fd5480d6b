#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pladis evaluate: a small evaluation with the model that ships; killed, interrupted and damaged runs go on with nothing
# lost or done twice; files of other evaluations and grids that make no sense are refused.
. "$2/tests/cli/common.sh"

printf 'a star\n\n  a picture of a red ring\n{"caption": "two hearts", "category": "counting"}\n' >prompts.txt
small="evaluate --prompts prompts.txt --steps 1 -t 1 -q"
grid="pladis=0,1 pladis-alpha=1.25,1.5 cfg-scale=1,3"
lines() {
    grep -c '"verdict"' "$1/results.jsonl" || true
}

# An evaluation whole, and what it wrote. Of the two alphas only one is drawn where pladis is 0: 3 x 2 settings.
# shellcheck disable=SC2086
expect 0 $small --grid "$grid" --select pladis -o whole
[ "$(cat "$place/out")" = 0 ] || [ "$(cat "$place/out")" = 1 ] || fail "--select does not print the best value"
[ "$(lines whole)" -eq 18 ] || fail "18 pictures expected, found $(lines whole)"
for file in results.csv summary.csv cost.csv results.json summary.md alignment.svg pictures.png; do
    [ -s "whole/$file" ] || fail "no $file"
done
[ "$(grep -c . whole/results.csv)" -eq 19 ] || fail "results.csv has not 19 lines"
grep -q '^0,0,,1,0,single_object,a star,42,[01],,[01],,,,,[01]' whole/results.csv || fail "results.csv: $(sed -n 2p whole/results.csv)"
grep -q 'counting,1,' whole/summary.csv || fail "no category in summary.csv"
# The plot: one range of shares, what is measured in which unit, what the bars are, a sign of its own for each line.
python3 - whole/alignment.svg <<'END' || fail "the plot"
import re, sys, xml.etree.ElementTree as ET
text = open(sys.argv[1], encoding="utf-8").read()
words = [" ".join(t.itertext()) for t in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]
assert any("95 % confidence intervals" in w and "Wilson" in w for w in words), words
assert "λ (PLADIS scale)" in words and "pladis" not in words and "right pictures, %" in words, words
assert sum(w.startswith("α = ") and "CFG scale" in w for w in words) == 4, words
assert "prefers-color-scheme:dark" in text
rules = re.findall(r'class="rule" d="M([\d.]+) ([\d.]+)h', text)
panels = sorted({float(x) for x, y in rules})
assert len(panels) > 1
heights = [sorted(float(y) for x, y in rules if float(x) == panel) for panel in panels]
assert all(set(h) <= set(heights[0]) for h in heights[1:]), "panels have other ranges"
lines = [[tuple(map(float, p.split(","))) for p in points.split()]
         for points in re.findall(r'<polyline[^>]* points="([^"]*)"', text)]
assert all(len({x for line in lines[i:i + 4] for x, y in line}) == 8 for i in range(0, len(lines), 4)), "a point hides another"
END
! grep -q '1.000000,1.000000,1.000000\|0.000000,0.000000,0.000000,0,' whole/summary.csv || fail "an interval of a share without a width"
# Every picture that a person may ask about has its settings inside.
grep -q -a 'a star' whole/pictures/p00000-r000-s0000.png || fail "no caption in a kept picture"

same_results() {
    for file in results.csv summary.csv alignment.svg pictures.png; do
        cmp "whole/$file" "$1/$file" || fail "$1/$file differs"
    done
    [ "$(lines "$1")" -eq 18 ] || fail "$1: $(lines "$1") lines"
    [ "$(cut -d, -f1-3 "$1/results.jsonl" | sort | uniq -d | wc -l)" -eq 0 ] || fail "$1: a picture was drawn twice"
}

# Nothing is drawn again when all is there.
before=$(cksum <whole/results.jsonl)
# shellcheck disable=SC2086
expect 0 $small --grid "$grid" -o whole
[ "$before" = "$(cksum <whole/results.jsonl)" ] || fail "a finished evaluation was drawn again"

# Several pictures at a time give the same results.
# shellcheck disable=SC2086
expect 0 $small --grid "$grid" -j 3 -o jobs
same_results jobs

# until_lines FOLDER COUNT: wait until so many pictures are there.
until_lines() {
    waited=0
    while [ ! -f "$1/results.jsonl" ] || [ "$(lines "$1")" -lt "$2" ]; do
        sleep 0.02
        waited=$((waited + 1))
        [ "$waited" -lt 3000 ] || fail "no pictures in a minute"
    done
}

# Killed in the middle of it, then once more: the same results.
# shellcheck disable=SC2086
"$pladis" $small --grid "$grid" -o killed >/dev/null 2>&1 &
until_lines killed 3
kill -KILL $! 2>/dev/null || true
wait $! || true
[ "$(lines killed)" -lt 18 ] || echo "note: the run was over before it was killed"
# shellcheck disable=SC2086
expect 0 $small --grid "$grid" -o killed
same_results killed

# Interrupted: exit code 130, and it can go on.
# shellcheck disable=SC2086
"$pladis" $small --grid "$grid" --seeds 20 -o interrupted >/dev/null 2>"$place/err" &
until_lines interrupted 2
kill -INT $!
code=0
wait $! || code=$?
[ "$code" -eq 130 ] || fail "interrupted: exit code $code, expected 130"
grep -q '^pladis: error: cancelled with [0-9]* of 360 pictures done' "$place/err" || fail "interrupted: $(cat "$place/err")"
[ -z "$(tail -c 1 interrupted/results.jsonl | tr -d '\n')" ] || fail "interrupted: half a line was left"

# Half a line at the end, and half a header, are what a kill or a full disk can leave.
for bytes in 40 1; do
    cp -r whole cut
    size=$(wc -c <cut/results.jsonl)
    head -c $((size - bytes)) whole/results.jsonl >cut/results.jsonl
    # shellcheck disable=SC2086
    expect 0 $small --grid "$grid" -o cut
    same_results cut
    rm -r cut
done
mkdir cut
head -c 30 whole/results.jsonl >cut/results.jsonl
# shellcheck disable=SC2086
expect 0 $small --grid "$grid" -o cut
same_results cut

# Other evaluations and other files are refused, and stay as they are.
other() {
    pattern=$1
    shift
    cp -r whole other
    # shellcheck disable=SC2086
    refused 1 "$pattern" $small "$@" -o other
    cmp whole/results.jsonl other/results.jsonl || fail "a refused file was changed"
    rm -r other
}
other "field 'settings'" --grid "pladis=0,1,2 cfg-scale=1,3"
other "field 'seed': expected \"7\", found \"42\"" --grid "$grid" --seed 7
other "field 'sampling-method'" --grid "$grid" --sampling-method euler
other "field 'seeds'" --grid "$grid" --seeds 2
head -n 3 prompts.txt >fewer.txt
cp -r whole other
refused 1 "field 'prompts" evaluate --prompts fewer.txt --steps 1 -t 1 -q --grid "$grid" -o other
rm -r other
cp -r "$source/models/demo" changed
sed -i 's/"steps": [0-9]*/"steps": 9/' changed/pladis.json
cp -r whole other
# shellcheck disable=SC2086
refused 1 "field 'model" $small -m changed --grid "$grid" -o other
rm -r other changed
for text in 'hello' '{"format": 1' '[1]
' '{"some": "json"}
'; do
    mkdir other
    printf '%s' "$text" >other/results.jsonl
    # shellcheck disable=SC2086
    refused 1 'is not a results file\|contains a different evaluation' $small --grid "$grid" -o other
    [ "$(cat other/results.jsonl)" = "$(printf '%s' "$text")" ] || fail "a foreign file was changed"
    rm -r other
done
damaged() {
    mkdir other
    sed "$1" whole/results.jsonl >other/results.jsonl
    # shellcheck disable=SC2086
    refused 1 "line $2 is damaged or appears twice" $small --grid "$grid" -o other
    rm -r other
}
damaged '3s/"verdict"/"virdect"/' 3
damaged '4s/"prompt":[0-9]*/"prompt":3/' 4
damaged '5s/"setting":[0-9]*/"setting":-1/' 5
damaged '6s/.*/{}/' 6
damaged '7s/"all":[a-z]*/"all":null/' 7
damaged '8s/}$//' 8
damaged '9{p}' 10
damaged '4s/"prompt"/"pr\x00mpt"/' 4
damaged '1s/"seeds"/\x00seeds"/' 1


# A zero byte or foreign text behind the last line hides nothing and loses nothing; an end that alone is missing is put back.
rest() {
    cp -r whole other
    printf "$2" >>other/results.jsonl
    cp other/results.jsonl before
    # shellcheck disable=SC2086
    refused 1 "line $1 is damaged" $small --grid "$grid" -o other
    cmp before other/results.jsonl || fail "a damaged file was changed"
    rm -r other
}
rest 20 '\000\000'
rest 20 'a remark of mine'
rest 20 '{"setting":0\000,"prompt":1'
cp -r whole other
head -c -1 whole/results.jsonl >other/results.jsonl
# shellcheck disable=SC2086
expect 0 $small --grid "$grid" -o other
cmp whole/results.jsonl other/results.jsonl || fail "a line whose end was missing was drawn again"
rm -r other

# Two runs do not write one file.
if command -v flock >/dev/null; then
    found=0
    # shellcheck disable=SC2086
    flock whole/results.jsonl "$pladis" $small --grid "$grid" -o whole 2>"$place/err" || found=$?
    { [ "$found" -eq 1 ] && grep -q 'another run' "$place/err"; } || fail "a locked file was written"
fi

# Command lines that make no sense.
wrong() {
    refused 2 "$@"
}
wrong 'unknown option "pladys"' evaluate --grid "pladys=1,2"
wrong 'expected options and their values' evaluate --grid " "
wrong 'as in pladis=0,1,2' evaluate --grid "pladis"
wrong 'several values twice' evaluate --grid "pladis=0,1 pladis=2,3"
wrong 'several values twice' evaluate --pladis 0,1 --pladis 2,3
wrong 'all settings share' evaluate --grid "seed=1,2"
wrong 'all settings share' evaluate --grid "prompt=a star;a ring"
wrong 'all settings share' evaluate --grid "lora=a.safetensors;b.safetensors"
wrong 'cannot be varied' evaluate --grid "threads=1,2"
wrong 'rescalee' evaluate --guidance rescalee
wrong 'expected a number above 1' evaluate --pladis-alpha 1.5,1
wrong 'expected a number' evaluate --pladis 0,x
wrong 'expected one of' evaluate --sampling-method ddim,dim
wrong 'the prompts come from --prompts' evaluate --prompt "a star"
wrong 'drawn from noise' evaluate -i picture.png
wrong 'drawn from noise' evaluate --strength 0.5
wrong 'all settings share' evaluate --grid "strength=0.1,0.5"
wrong 'cannot be used together' evaluate --prompts prompts.txt --split heldout
wrong 'an option that has several values' evaluate --pladis 0,1 --select cfg-scale
wrong 'at most 4096 combinations' evaluate --grid "pladis=0..100 cfg-scale=1..100"
wrong 'unknown option --sheet' evaluate --sheet

# Prompt files of other systems.
printf '\357\273\277a star\r\n\r\n  a picture of a red ring\r\n{"caption": "two hearts", "category": "counting"}\r\n' >marked.txt
printf 'a star\r  a picture of a red ring\r{"caption": "two hearts"}\r' >old.txt
{ printf '\377\376'; iconv -f UTF-8 -t UTF-16LE prompts.txt; } >wide.txt
for file in marked old wide; do
    cp -r whole other
    # shellcheck disable=SC2086
    expect 0 evaluate --prompts $file.txt --steps 1 -t 1 -q --grid "$grid" -o other
    cmp whole/results.jsonl other/results.jsonl || fail "$file.txt holds other prompts than prompts.txt"
    rm -r other
done

# Captions outside the grammar, and files that hold none.
captions() {
    printf "$2" >bad.txt
    refused 1 "$1" evaluate --prompts bad.txt -o bad
    [ ! -e bad ] || fail "a folder was made for a bad prompt file"
}
captions 'bad.txt: line 2: caption: word 2 (column 3): expected .* found "fox"' 'a star\na fox\n'
captions "line 1: field 'caption'" '{"text": "a star"}\n'
captions "line 1: field 'category': expected \"single_object\"" '{"caption": "a star", "category": "counting"}\n'
captions 'line 3: damaged JSON' 'a star\na ring\n{"caption": "a st\n'
captions 'found no captions' '\n\n'
captions 'zero byte' 'a star\000\n'
refused 1 'missing.txt: cannot be read' evaluate --prompts missing.txt -o bad
# A model without prompts of its own.
refused 1 'has no prompts of its own' evaluate -m "$model" -o bad

# Places that cannot be written.
refused 1 'cannot be created' evaluate --prompts prompts.txt -o /dev/null/folder
refused 1 'cannot be created' evaluate --prompts prompts.txt -o missing/folder
mkdir full
ln -s /dev/full full/results.jsonl
# shellcheck disable=SC2086
refused 1 'full/results.jsonl' $small -o full
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked
    chmod 555 locked
    refused 1 'cannot be' evaluate --prompts prompts.txt -o locked
fi

# One setting is an evaluation too; the model's own prompts are the default.
expect 0 evaluate --each 1 --steps 1 -t 1 -q -o one
[ "$(lines one)" -eq 6 ] || fail "6 pictures expected, found $(lines one)"

# Guidance methods are varied like any option, and stand in the tables as they were typed.
expect 0 evaluate --prompts prompts.txt --steps 1 -t 1 -q --grid "guidance=none;pag:scale=3,layers=mid pladis=0,1" -o methods
grep -q '^1,"pag:scale=3,layers=mid",0,' methods/results.csv || fail "no guidance in results.csv"
[ "$(lines methods)" -eq 12 ] || fail "12 pictures expected, found $(lines methods)"
grep -q '^0,none,0,1,' methods/cost.csv || fail "one evaluation expected without any guidance"
grep -q '^1,"pag:scale=3,layers=mid",0,3,' methods/cost.csv || fail "three evaluations expected with perturbed attention"

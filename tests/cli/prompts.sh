#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Texts of prompts: encodings, syntax of other programs, words that a model does not know, and checks before drawing.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"
demo=$source/models/demo
bytes() {
    # shellcheck disable=SC2059
    printf "$1"
}
sign=$(bytes '\357\277\275')

# draw ARGUMENTS...: a small picture by the demo model.
draw() {
    expect 0 generate -m "$demo" --steps 1 "$@"
}

# told COUNT PATTERN: so many lines on standard error have it.
told() {
    [ "$(grep -c -e "$2" "$place/err")" -eq "$1" ] || fail "expected $1 lines with \"$2\""
}

# Bytes that are not UTF-8 are drawn and recorded as U+FFFD, whatever they are; the picture is drawn again from itself.
for text in 'caf\351 star' 'star \377\376' 'a \355\240\200 star' '\300\200 star' 'star \360\237\230' '\200'; do
    raw=$(bytes "$text")
    draw -p "$raw" -n "$raw" -o raw.png --report raw.json
    told 1 'warning: prompt: the text at byte [0-9]* is not UTF-8'
    told 1 'negative prompt: the text at byte'
    grep -q "\"prompt\": \"[^\"]*$sign" raw.json || fail "$text: the report lacks U+FFFD"
    draw --from raw.png -o again.png
    cmp -s raw.png again.png || fail "$text: the picture drawn from its metadata differs"
    bytes "$text\na red star\n$text\n" >list.txt
    draw --prompt-file list.txt -o list-%d.png -n "$raw"
    cmp -s list-1.png list-3.png || fail "$text: a prompt file differs"
    draw "--prompt=$raw" "-n$raw" -o joined.png -q
    cmp -s raw.png joined.png || fail "$text: a value joined to its option differs"
    [ ! -s "$place/err" ] || fail "$text: -q is not quiet"
done
rm -f ./*
raw=$(bytes 'a caf\351 and a star')
draw -p "a caf$sign and a star" -o sign.png --no-metadata
draw -p "$raw" -o raw.png --no-metadata --attention-maps "$(bytes 'caf\351'),star"
cmp -s sign.png raw.png || fail "U+FFFD and what it stands for are two pictures"
expect 0 tokenize -m "$demo" --json "a caf$sign and a star"
mv "$place/out" sign.json
expect 0 tokenize -m "$demo" --json "$raw"
cmp -s sign.json "$place/out" || fail "tokenize has other tokens for U+FFFD and what it stands for"
told 1 'not UTF-8'
expect 0 grid -m "$demo" --steps 1 --x "prompt=$raw;a star" --y "negative-prompt=$(bytes '\377');b" -o grid.png
expect 0 generate -m "$demo" --steps 1 -p "$raw" --compare "negative-prompt=$(bytes '\377'),b" -o compare.png
expect 0 evaluate -m "$demo" --each 1 --steps 1 -n "$(bytes 'caf\351')" --pladis 0 -o evaluation
grep -q "caf$sign" evaluation/results.jsonl || fail "the results lack the negative prompt"
expect 0 evaluate -m "$demo" --each 1 --steps 1 --grid "negative-prompt=$(bytes 'caf\351');b" -o evaluation-2
grep -q "caf$sign" evaluation-2/results.jsonl || fail "the results lack the negative prompt of a grid"
refused 1 "no file caf$sign.safetensors" generate -m "$demo" -p "$(bytes '<lora:caf\351>')" --lora-dir . -o out.png
rm -rf ./*

# What the last prompt is refused for is known before the first one is drawn.
refused_before() {
    printf 'a red star\n%s\n' "$2" >list.txt
    refused "$1" "$3" generate -m "$demo" --steps 1 --prompt-file list.txt -o list-%d.png
    rm list.txt
    empty_folder
}
refused_before 2 '(x:99999999)' "list.txt: prompt 2: prompt: the weight of 'x'"
refused_before 2 "$(printf '(%.0s' $(seq 300))" 'list.txt: prompt 2: prompt: expected at most 256 brackets'
refused_before 2 "$(printf 'star %.0s' $(seq 8000))" 'list.txt: prompt 2: prompt: 267 chunks'
refused_before 2 '<lora:x' 'LoRA\|lora:NAME:WEIGHT'
refused_before 2 '<lora:x:1>' 'use --lora-dir'
refused 2 'negative prompt: the weight' generate -m "$demo" -p a -n '(x:99999999)' -o out.png
printf 'a red star\na blue ring\n' >"$place/two.txt"
refused 2 "prompt 2: attention-maps: 'star' is not in the prompt" generate -m "$demo" --steps 1 --prompt-file "$place/two.txt" \
    --attention-maps star -o two-%d.png
refused 2 'attention-maps-blocks: .side' generate -m "$demo" -p 'a star' --attention-maps star --attention-maps-blocks side -o out.png
empty_folder
refused 2 'negative prompt: the weight' evaluate -q -m "$demo" --each 1 --steps 1 --grid 'negative-prompt=a;(x:99999999)' -o evaluation
[ -z "$(ls evaluation/pictures)" ] || fail "evaluate draws before it has checked its texts"
rm -rf ./*

# Syntax of other programs is named with what becomes of it: once for each text, and not where there is none.
other='a [cat|dog] [x:1.2] [b:c:0.5] [d::0.5] AND {e|f} __g__ embedding:h i++ (j)1.3 <lyco:k:1> <hypernet:l:1> (m BREAK n)'
draw -p "$other" -b 3 -o other-%d.png
for text in "'\[cat|dog\]'" "'\[x:1.2\]' and 2 more" "'AND'" "'{e|f}'" "'__g__'" "'embedding:h'" "'i++'" "'(j)1.3'" "'<lyco:k:1>'" \
    "'<hypernet:l:1>'" 'found BREAK 1 time in brackets'; do
    told 1 "pladis: warning: prompt: $text"
done
draw -p "$other" --literal-prompt -o literal.png
told 0 'warning: prompt: .* not supported'
draw -p 'a star' -n 'this AND [that|those]' -o negative.png
told 1 'warning: negative prompt'
told 1 "negative prompt: '\[that|those\]'"
draw -p '((a:1.1) [red] star:0.9), \(big\) BREAK a \[ring|2\]' -o plain.png
told 0 'not supported'
expect 0 tokenize -m "$demo" '[a|b] <lora:x:1>'
told 1 "'\[a|b\]'"
told 1 "'<lora:x:1>'"
expect 0 tokenize -m "$demo" --raw '[a|b]'
told 0 warning
rm -f ./*

# A1111's chunks, weights and backslashes as tokenize shows them.
chunks() {
    expect 0 tokenize -m "$model" --json "$2"
    found=$(grep -o '"ids"' "$place/out" | wc -l)
    [ "$found" -eq "$1" ] || fail "tokenize $2: $found chunks, expected $1"
}
chunks 1 'a BREAK'
chunks 1 'BREAK'
chunks 2 'a BREAK b'
chunks 2 'BREAK a'
chunks 1 '(a BREAK b)'
chunks 2 '(a BREAK b:1)'
expect 0 tokenize -m "$model" --json 'a \ cat\'
mv "$place/out" with.json
expect 0 tokenize -m "$model" --json 'a  cat'
cmp -s with.json "$place/out" || fail "lone backslashes stay"
rm -f ./*

# Words that the demo model was not trained on are named, once for each text; its own are not.
draw -p 'a red fox in deep snow' -n blurry -b 2 -o fox-%d.png
told 1 'pladis: note: prompt: .* words fox, in, deep, snow, .*knows circle, square, .*pladis info'
told 1 'pladis: note: negative prompt: .* word blurry,'
head -n 40 "$demo/prompts/heldout.jsonl" | sed 's/.*"caption": "\([^"]*\)".*/\1/' >captions.txt
draw --prompt-file captions.txt --sheet -o captions.png
told 0 'not trained'
printf 'a fox\na hare\na fox\n' >list.txt
draw --prompt-file list.txt -o list-%d.png
told 1 'word fox,'
told 1 'word hare,'
expect 0 evaluate -m "$demo" --each 2 --seeds 2 --steps 1 -j 2 -n 'blurry' --pladis 0,1 -o evaluation
told 1 'not trained on the word blurry'
told 1 'not trained'
expect 0 info "$demo"
said 'words  *57, the only ones that it was trained on'
expect 0 info "$demo" --json
said '"trained_words": \['
expect 0 generate -m "$model" -p 'a red fox' -W 64 -H 64 --steps 1 -o fox.png
told 0 'not trained'
rm -rf ./*

# The list is checked, and goes along into a converted folder.
cp -r "$demo" model
edit() {
    sed "s/\"trained_words\": \[.*\]/\"trained_words\": $1/" "$demo/pladis.json" >model/pladis.json
}
edit '["star", "Red"]'
refused 1 "pladis.json: field 'trained_words': .*found 'Red'" info model
edit '["star", "two words"]'
refused 1 "found 'two words'" info model
edit '["star", "star"]'
refused 1 "'star' twice" info model
edit '["star", 3]'
refused 1 'trained_words' info model
edit '[]'
refused 1 'expected 1 to 65536 words, found 0' info model
edit '"star"'
refused 1 'trained_words' info model
edit '["star", "a"]'
expect 0 generate -m model -p 'a red star' --steps 1 -o star.png
told 1 'word red, .*knows star, a (pladis'
expect 0 convert model -o other --layout diffusers
expect 0 info other
said 'words  *2, '
rm -rf ./*

# Every example of the help texts that draws with the model that ships has only words that it knows.
for command in '' generate grid tokenize; do
    # shellcheck disable=SC2086
    expect 0 $command --help
    sed -n 's/^example: //p; s/^  \(pladis .*\)/\1/p' "$place/out" | grep -v -e ' -m ' -e '--from' -e prompts.txt -e COMMAND -e '--version' >examples.txt || true
    [ -s examples.txt ] || continue
    while read -r line; do
        case $line in
        *prompt=*) prompts=$(echo "$line" | sed "s/.*prompt=\([^']*\)'.*/\1/" | tr ';' '\n') ;;
        *'"'*) prompts=$(echo "$line" | sed 's/[^"]*"\([^"]*\)".*/\1/') ;;
        *) continue ;;
        esac
        echo "$prompts" >prompts.list
        draw --prompt-file prompts.list --sheet -o example.png
        told 0 'not trained'
    done <examples.txt
done

# An option or a prompt in place of the command.
expect 0 -p 'a red star' --steps 1 -q -o unnamed.png
refused 2 'expected a prompt' --steps=3
refused 2 'pladis generate -p "a red star"' 'a red star'
refused 2 'unknown option --foo' --foo
refused 2 'did you mean generate' generat

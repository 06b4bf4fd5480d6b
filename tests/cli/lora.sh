#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# LoRAs of the command line and of prompts: what is applied, reported and refused.
# shellcheck source=tests/cli/common.sh
. "$(dirname "$0")/common.sh"
loras=$source/tests/data/loras/files

# draw ARGUMENTS...: a small picture.
draw() {
    expect 0 generate -m "$model" -W 64 -H 64 --steps 2 "$@"
}

draw -p 'a red fox' -o plain.png --no-metadata
draw -p 'a red fox' -o with.png --no-metadata --lora "$loras/kohya.safetensors:0.7" --report with.json
grep -q 'applied [0-9]* of [0-9]* modules (kohya, rank 2) with weight 0.7' "$place/err" || fail "nothing said of what was applied"
grep -q '"weight": 0.7' with.json || fail "the report lacks the weight"
cmp -s plain.png with.png && fail "a LoRA changes nothing"

# a tag in the prompt is the same as the option, and is no part of the text
draw -p '<lora:kohya:0.7>a red fox' -o tag.png --no-metadata --lora-dir "$loras"
cmp -s with.png tag.png || fail "a tag does not do what --lora does"
draw -p 'a red<lora:kohya:-1.5> fox' -o two.png --no-metadata --lora-dir "$loras" --lora "$loras/kohya.safetensors:1.5"
draw -p 'a red fox' -o none.png --no-metadata --lora "$loras/kohya.safetensors:0"
cmp -s plain.png none.png || fail "weight 0 changes the picture"

# the set changes from picture to picture with the model kept open, and the order of pictures does not matter
printf 'a red fox\n<lora:kohya:0.7>a red fox\na red fox\n' >prompts.txt
draw --prompt-file prompts.txt -o many-%d.png --no-metadata --lora-dir "$loras"
cmp -s many-1.png plain.png || fail "first of three differs"
cmp -s many-2.png with.png || fail "second of three differs"
cmp -s many-3.png plain.png || fail "third of three differs"

# names in the PNG stand without folders
draw -p 'a red fox' -o named.png --lora "$loras/kohya.safetensors:0.7"
grep -a -q 'kohya.safetensors:0.7' named.png || fail "the PNG does not name the LoRA"
grep -a -q "$loras" named.png && fail "the PNG names a folder"

# a picture is drawn again with its LoRAs, which lie in the current folder
cp "$loras/kohya.safetensors" .
draw -p '<lora:kohya:0.7>a red fox' -o tag.png --lora-dir . --lora kohya.safetensors:-0.3333333333333333
expect 0 generate --from tag.png --lora-dir . -m "$model" -o again.png
cmp -s tag.png again.png || fail "drawn again with its LoRAs the picture differs"

# What is given takes the place of a recorded LoRA of the same name, or of the same file; the path given is opened.
same() {
    cmp -s "$1" "$2" || fail "$3"
}
mkdir elsewhere moved
cp kohya.safetensors elsewhere
cp "$loras/peft.safetensors" other.safetensors
draw -p 'a red fox' -o half.png --lora kohya.safetensors:0.5 --lora other.safetensors:0.3
draw -p 'a red fox' -o wanted.png --lora kohya.safetensors:0.25 --lora other.safetensors:0.3
expect 0 generate --from half.png -m "$model" --lora kohya.safetensors:0.25 -o given.png
same wanted.png given.png "a LoRA that is given does not take the recorded one's place"
expect 0 generate --from half.png -m "$model" --lora ./elsewhere/kohya.safetensors:0.25 -o given.png
same wanted.png given.png "a path with a folder does not take the recorded one's place"
ln -s ../kohya.safetensors moved/renamed.safetensors
expect 0 generate --from half.png -m "$model" --lora moved/renamed.safetensors:0.25 --no-metadata -o given.png
draw -p 'a red fox' -o wanted.png --lora kohya.safetensors:0.25 --lora other.safetensors:0.3 --no-metadata
same wanted.png given.png "another name of the same file does not take the recorded one's place"
mv kohya.safetensors moved
expect 0 generate --from half.png -m "$model" --lora moved/kohya.safetensors:0.25 --no-metadata -o given.png
same wanted.png given.png "the recorded path was opened and not the given one"
mv moved/kohya.safetensors .
expect 0 generate --from half.png -m "$model" --lora other.safetensors:0 --lora kohya.safetensors:0.25 --no-metadata -o given.png
draw -p 'a red fox' -o wanted.png --lora kohya.safetensors:0.25 --no-metadata
same wanted.png given.png "weight 0 does not take a recorded LoRA away"
expect 0 generate --from half.png -m "$model" --lora "$loras/lokr.safetensors:0.5" --no-metadata -o given.png
draw -p 'a red fox' -o wanted.png --lora kohya.safetensors:0.5 --lora other.safetensors:0.3 --lora "$loras/lokr.safetensors:0.5" --no-metadata
same wanted.png given.png "a LoRA of another name is not added"

# A name counts in prompts as in options.
draw -p 'a red fox' -o single.png --lora kohya.safetensors:0.5
draw -p '<lora:kohya:0.25>a hare' -o wanted.png --lora-dir . --no-metadata
expect 0 generate --from single.png -m "$model" -p '<lora:kohya:0.25>a hare' --lora-dir . --no-metadata -o given.png
same wanted.png given.png "a LoRA of a given prompt does not take the recorded one's place"
printf '<lora:kohya:0.25>a hare\n' >lines.txt
expect 0 generate --from single.png -m "$model" --prompt-file lines.txt --lora-dir . --no-metadata -o given.png
same wanted.png given.png "a LoRA of a prompt file does not take the recorded one's place"
draw -p 'a <lora:kohya:0.5> fox' -o tagged.png --lora-dir .
draw -p 'a  fox' -o wanted.png --lora kohya.safetensors:0.25
expect 0 generate --from tagged.png -m "$model" --lora kohya.safetensors:0.25 --lora-dir . -o given.png
same wanted.png given.png "a LoRA that is given does not take the place of one in the recorded prompt"
expect 0 grid --from half.png -m "$model" --x 'lora=kohya.safetensors:0.25;kohya.safetensors:0.1' -q -o grid.png
expect 0 generate --from grid.png -m "$model" --from-picture 1 -o given.png
draw -p 'a red fox' -o wanted.png --lora kohya.safetensors:0.25 --lora other.safetensors:0.3
same wanted.png given.png "a LoRA of an axis does not take the recorded one's place"
rm -rf ./*

# the folder that PEFT wrote is its file with the configuration beside it; elsewhere no alpha is known, which is said
cp -r "$loras/peft-folder" .
draw -p 'a red fox' -o folder.png --no-metadata --lora peft-folder/:0.5
grep -q 'no alpha' "$place/err" && fail "PEFT's configuration is not read"
draw -p 'a red fox' -o file.png --no-metadata --lora peft-folder/adapter_model.safetensors:0.5
cmp -s folder.png file.png || fail "a folder is not the file in it"
cp peft-folder/adapter_model.safetensors moved.safetensors
draw -p 'a red fox' -o moved.png --no-metadata --lora moved.safetensors:0.5
grep -q '5 of its modules have no alpha' "$place/err" || fail "an unknown alpha is not told"
cmp -s folder.png moved.png && fail "PEFT's configuration changes nothing"
expect 0 info peft-folder
said 'alpha/rank  .* to '
expect 0 info moved.safetensors
said '5 of its modules have no alpha'
rm -rf ./*

# what is refused
generate="generate -m $model -W 64 -H 64 --steps 1 -o out.png"
mkdir inside
cp "$loras/kohya.safetensors" outside.safetensors
ln -s ../outside.safetensors inside/link.safetensors
for tag in '<lora:../outside:1>' '<lora:/etc/passwd>' '<lora:a/../../outside>' '<lora:./outside>' '<lora:x:y>' '<lora:x:1:1>' \
           '<lora:x' '<lora:>' '<lora:x:inf>'; do
    # shellcheck disable=SC2086
    refused 2 'lora:NAME:WEIGHT' $generate -p "a $tag" --lora-dir inside
done
# shellcheck disable=SC2086
{
refused 2 'outside' $generate -p '<lora:link>' --lora-dir inside
refused 1 'no file nothing.safetensors' $generate -p '<lora:nothing>' --lora-dir inside
refused 1 'no such folder' $generate -p '<lora:kohya>' --lora-dir nowhere
refused 2 'lora-dir' $generate -p '<lora:kohya>'
refused 2 'belongs in the prompt' $generate -p a -n '<lora:kohya>' --lora-dir "$loras"
refused 2 'expected a number' $generate -p a --lora file:x
refused 2 'weight from -1000' $generate -p a --lora file:5000
refused 1 'cannot be opened' $generate -p a --lora nothing.safetensors
refused 1 'modules do not exist in' $generate -p a --lora "$loras/other.safetensors"
}
for part in "$loras"/../malformed/*.safetensors; do
    # shellcheck disable=SC2086
    refused 1 "$part" $generate -p a --lora "$part"
done
rm -r inside outside.safetensors
empty_folder

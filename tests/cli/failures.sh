#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Work that cannot be done: models, folders, disks, Ctrl-C.
. "$2/tests/cli/common.sh"
tiny="-m $model -W 64 -H 64 --steps 2"

# Models.
refused 1 'looked in' generate -m no-such-model -p x
refused 1 'no such model' generate -m ./no/such/model -p x
refused 1 . generate -m /dev/null -p x
refused 1 . info /dev/null
refused 1 'no such model' info ./none
refused 1 'no such model' tokenize -m ./none x
mkdir "$place/hollow"
refused 1 'hollow' generate -m "$place/hollow" -p x
printf 'not json' >"$place/hollow/model_index.json"
refused 1 'model_index.json' info "$place/hollow"
cp -r "$model" "$place/broken"
weights=$place/broken/unet/diffusion_pytorch_model.safetensors
chmod -R u+w "$place/broken"
head -c 1000 "$model/unet/diffusion_pytorch_model.safetensors" >"$weights"
refused 1 'diffusion_pytorch_model.safetensors' generate -m "$place/broken" -p x
empty_folder

# Sizes that the model cannot draw.
# shellcheck disable=SC2086
{
    refused 2 '511' generate $tiny -p x -W 511
    refused 2 'nonsense' generate $tiny -p x --pladis-blocks nonsense
    refused 1 'none.safetensors' generate $tiny -p x --init-noise none.safetensors
    refused 1 'prompts.txt' generate $tiny --prompt-file prompts.txt
}
printf '\n\n' >"$place/blank.txt"
refused 1 'no prompts' generate --prompt-file "$place/blank.txt"
empty_folder

# Places that cannot be written, noticed before the work begins.
# shellcheck disable=SC2086
{
    refused 1 'no/such/folder' generate $tiny -p x -o no/such/folder/out.png
    refused 1 'is a folder' generate $tiny -p x -o "$place/hollow"
    refused 1 'hollow/model_index.json' generate $tiny -p x -o "$place/hollow/model_index.json/out.png"
    refused 1 'report' generate $tiny -p x --report no/such/report.json
    refused 1 'profile' generate $tiny -p x --profile no/such/trace.json
    refused 1 'dump' generate $tiny -p x --dump no/such/dump.safetensors
    refused 2 'output' generate $tiny -p x -o ''
    refused 1 '/proc/none.png' generate $tiny -p x -q -o /proc/none.png
}
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked && chmod 555 locked
    # shellcheck disable=SC2086
    refused 1 'locked' generate $tiny -p x -o locked/out.png
    rmdir locked
fi
empty_folder

# A disk that is full: a device that says so, and a limit on the size of files.
# shellcheck disable=SC2086
{
    refused 1 '/dev/full.*No space' generate $tiny -p x -q -o /dev/full
    refused 1 '/dev/full.*No space' generate $tiny -p x -q -o /dev/null --report /dev/full
    refused 1 '/dev/full.*No space' generate $tiny -p x -q -o /dev/null --dump /dev/full
}
for arguments in "list" "info $model --json" "tokenize -m $model x" "generate $tiny -p x -q -o -" "--help"; do
    found=0
    # shellcheck disable=SC2086
    "$pladis" $arguments >/dev/full 2>"$place/err" || found=$?
    [ $found -eq 1 ] || fail "pladis $arguments to a full disk: exit code $found"
    grep -q '^pladis: error: standard output' "$place/err" || fail "pladis $arguments to a full disk: not reported"
done
(
    ulimit -f 1
    found=0
    # shellcheck disable=SC2086
    "$pladis" generate $tiny -p x -q -o limited.png 2>/dev/null || found=$?
    [ $found -eq 1 ]
) || fail "a file that cannot grow: exit code"
empty_folder

# Ctrl-C at any moment: 130 and no file, whole or partial.
for delay in 0.01 0.05 0.2 0.5 1; do
    for signal in INT TERM; do
        found=0
        timeout --preserve-status -s $signal $delay "$pladis" generate -m "$model" -W 256 -H 256 --steps 900 -p x \
            -o out.png --dump dump.safetensors --report report.json >"$place/out" 2>"$place/err" || found=$?
        # A signal before the program can listen ends it as the shell counts: 128 + 15.
        [ $found -eq 130 ] || [ $signal$found = TERM143 ] || fail "$signal after $delay s: exit code $found"
        empty_folder
    done
done
grep -q '^pladis: error: ' "$place/err" || fail "a cancelled run does not say so"

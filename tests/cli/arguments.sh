#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Help, version, lists, and command lines that are wrong.
. "$2/tests/cli/common.sh"

expect 0
said "usage: pladis COMMAND"
expect 0 --help
expect 0 --version
grep -q '^pladis [0-9][0-9.]*$' "$place/out" || fail "--version prints something else"
for command in generate info tokenize list; do
    expect 0 "$command" --help
    said "usage: pladis $command"
    [ ! -s "$place/err" ] || fail "$command --help wrote to standard error"
done
# A reader that has enough, as head does, is no error.
"$pladis" generate --help 2>"$place/err" | { exec <&-; sleep 1; }
[ ! -s "$place/err" ] || fail "a closed pipe is reported"
expect 0 generate --help
for option in --model --prompt --negative-prompt --output --width --height --steps --cfg-scale --guidance-scale \
    --cfg-rescale --guidance --seed --rng --batch-count --sampling-method --scheduler --spacing --timesteps --eta \
    --prediction --clip-skip --literal-prompt --preset --pladis --no-pladis --pladis-alpha --pladis-blocks \
    --pladis-start --pladis-end --dtype --threads --isa --original-size --crop --target-size --init-noise --dump --dump-steps --report --profile --quiet --verbose; do
    said "$option"
done

expect 0 list
for list in samplers schedulers spacings guidance variants families presets isa; do
    expect 0 list $list
    [ -s "$place/out" ] || fail "list $list is empty"
done
for sampler in ddim pndm euler euler_a heun dpm++2m dpm++2m_sde unipc lcm tcd scm; do
    "$pladis" list samplers | grep -q -w -F "$sampler" || fail "list samplers lacks $sampler"
done
for schedule in discrete karras exponential beta simple normal sgm_uniform ddim_uniform; do
    "$pladis" list schedulers | grep -q -w -F "$schedule" || fail "list schedulers lacks $schedule"
done
refused 2 'expected one of' list colours

# Unknown words; the nearest known one is named.
refused 2 'did you mean generate' genrate
refused 2 'unknown command' frobnicate
refused 2 'unknown option' --frobnicate
refused 2 'did you mean --steps' generate -p x --stpes 4
refused 2 'unknown option' generate -p x --frobnicate
refused 2 'unknown option' generate -p x -Z
refused 2 'unexpected argument' generate a red fox
refused 2 'expected' generate -p x --steps
refused 2 'takes no value' generate -p x --no-metadata=1
refused 2 'expected a prompt' generate
refused 2 'expected a text' tokenize
refused 2 'unexpected argument' info one two

# wrong OPTION VALUE...: each is refused, and the message names the option and the value.
wrong() {
    option=$1
    shift
    for value in "$@"; do
        refused 2 "$option" generate -p x "$option" "$value"
        grep -q -F -e "$value" "$place/err" || fail "$option $value: the value is not named"
        refused 2 "$option" generate -p x "$option=$value"
    done
}
wrong --steps 0 -1 1001 1.5 ten '' ' 5' 5x 99999999999999999999999
wrong --original-size 0x64 64 64x 64x64x64 64,64 64x-1 16385x64 x ''
wrong --target-size 64x0 64x1e3 ''
wrong --crop 1x2 -1,0 1,16385 1,2,3 1 , ''
wrong --width 0 -64 x 64.5 1e9
wrong --height 0 -64 x 64.5 1e9
wrong --seed x 1.5 '' 99999999999999999999 0x10
wrong --batch-count 0 -1 x
wrong --threads 0 -1 x
wrong --clip-skip 0 x
wrong --cfg-scale nan inf -1 x 7,5 ''
wrong --cfg-rescale nan -0.1 1.1
wrong --eta nan -1 2
wrong --pladis nan inf -inf x 101 -101 '' 1e999 '2 '
wrong --pladis-alpha nan 1 0.5 2.1 x
wrong --pladis-start nan -0.1 1.1
wrong --pladis-end nan -0.1 1.1
wrong --timesteps '' a 999,999 1,2 999, ,999 999,nan -1
wrong --sampling-method eular nonsense ''
wrong --scheduler nonsense
wrong --spacing nonsense
wrong --prediction nonsense
wrong --isa nonsense
wrong --pladis-temperature nan -1 101
refused 2 'temperature: expected a number from 1e-06' generate -p ring --pladis-temperature 1e-320
for option in --output --model --vae --unet --tokenizer --config --init-img --init-noise --from --report --dump \
    --attention-stats --profile --preview-file --prompt-file; do
    refused 2 "$option: found \"\", expected" generate -p x "$option" ''
done
for option in output=x.png blocks=up start=0.5 end=0.5; do
    refused 2 'needs --attention-maps' generate -p x "--attention-maps-$option"
done
wrong --dtype f16 f64 bf 'bf16 ' ''
wrong --rng cuda
wrong --preset nonsense
wrong --guidance nonsense pag: pag:scale pag:scale= pag:scale=x pag:scale=-1 pag:scale=3,scale=4 pag:speed=3 \
    pag:layers= pag:layers=mid++up seg:sigma=0 cfg-zero:steps=0.5 none:scale=1
wrong --distilled-guidance -1 101 x
refused 2 'distilled-guidance: this model is not told of a guidance scale' generate -p 'a red star' --guidance 3.5
refused 2 'distilled-guidance: this model is not told of a guidance scale' generate -p 'a red star' --distilled-guidance 0
refused 2 'did you mean "euler"' generate -p x --sampling-method eular

# What a later version may bring is refused, never silently accepted.
for option in --vae-tiling; do
    refused 2 "$option.*not available" generate -p x "$option" value
    refused 2 "$option.*not available" generate -p x "$option=value"
done

# What people paste from other programs works, or says why not; without a command it is generate.
habit() {
    expect 0 "$@" --steps 1 -W 32 -H 32 -o habit.png
    rm habit.png
}
noted() {
    grep -q -e "$1" "$place/err" || fail "no note \"$1\""
}
habit -M img_gen -p 'a red star' --diffusion-fa --vae-on-cpu --clip-skip -1 --lora-model-dir .
noted 'note: --mode has no effect: the command says'
noted 'note: --diffusion-fa has no effect: attention'
noted 'note: --vae-on-cpu has no effect: everything runs on the CPU'
habit -p 'a red star' --sampling-method 'DPM++ 2M Karras' --lambda 1.5 --alpha 1.25
noted 'sampler   dpm++2m, scheduler karras'
noted 'PLADIS    scale 1.5, alpha 1.25'
habit --prompt 'a red star' --pladis_scale 1 --sampling-method 'Euler a' --num_inference_steps 1 --guidance_scale 2
noted 'sampler   euler_a'
habit --prompt='a red star' -q --medvram
[ ! -s "$place/err" ] || fail "--quiet notes a habit"
expect 0 -p x --help
said 'usage: pladis generate'
refused 2 'mode: found "upscale"' -M upscale -p x
refused 2 'rng: found "cuda"' -p x --rng cuda
refused 2 'did you mean --steps' --stpes 4 -p x
refused 2 '--t5xxl.*not available' -p x --t5xxl file
refused 2 'a grid is one picture' grid -p x --x seed=1,2 --sheet
refused 2 'the prompts come from' evaluate -p x
refused 2 'expected a command, found' 'a red star'
refused 2 'takes no value' generate -p x --vae-on-cpu=1

# Options that exclude or need each other.
refused 2 'cannot be used together' generate -p x --prompt-file prompts.txt
refused 2 'cannot be used together' generate -p x -q -v
refused 2 'dump-steps' generate -p x --dump-steps
refused 2 'compare' generate -p x --compare --no-pladis
refused 2 'pladis-start' generate -p x --pladis-start 0.5 --pladis-end 0.5
refused 2 'steps' generate -p x --steps 3 --timesteps 999,499
refused 2 'columns' generate -p x --columns 3
refused 2 'spacing' generate -p x --sampling-method ddim_trailing --spacing leading
refused 2 'one picture' generate -p x -b 2 -o -
empty_folder

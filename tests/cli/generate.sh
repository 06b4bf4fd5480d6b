#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Pictures: same bytes for the same request, in any batch and to any place.
. "$2/tests/cli/common.sh"

# draw ARGUMENTS...: a small picture that must succeed.
draw() {
    expect 0 generate -m "$model" -W 64 -H 64 --steps 3 "$@"
}
same() {
    cmp "$1" "$2" || fail "$1 and $2 differ"
}
differ() {
    ! cmp -s "$1" "$2" || fail "$1 and $2 are the same"
}
is_png() {
    [ "$(head -c 4 "$1" | tail -c 3)" = PNG ] || fail "$1 is no PNG"
    tail -c 8 "$1" | grep -q -a IEND || fail "$1 has no end"
}

# The same run twice; nothing on standard output; the seed and the machine on standard error.
draw -p 'a red fox' -o one.png
is_png one.png
[ ! -s "$place/out" ] || fail "standard output is not empty"
for word in seed 'size  *64 x 64' sampler PLADIS 'sites' time denoise decode thread 'peak memory' one.png; do
    grep -q "$word" "$place/err" || fail "the summary lacks $word"
done
draw -p 'a red fox' -o two.png -q
[ ! -s "$place/err" ] || fail "-q printed something"
same one.png two.png
draw -p 'a red fox' -q -o -
same one.png "$place/out"
draw -p 'a red fox' -v -t 1 -o thread.png
draw -p 'a red fox' -q
same one.png output.png

# What changes the picture, and what is only another way to say the same.
draw -p 'a red fox' -s 43 -o seed.png
draw -p 'a blue fox' -o prompt.png
draw -p 'a red fox' -n 'blue' -o negative.png
draw -p 'a red fox' --no-pladis -o without.png
draw -p 'a red fox' --pladis 0 -o zero.png
draw -p 'a red fox' --pladis 1 --pladis-alpha 2 -o other.png
draw -p 'a red fox' --pladis-end 0.4 -o part.png
draw -p 'a red fox' --pladis-blocks mid -o mid.png
for file in seed prompt negative without other part mid; do
    differ one.png $file.png
done
same without.png zero.png
draw -p 'a red fox' --dtype auto --rng cpu --preset auto --isa auto -o same.png
same one.png same.png

# Guidance: methods change the picture, at values that change nothing they are left out, and what makes no sense
# together is refused.
draw -p 'a red fox' --no-metadata -o plain.png
draw -p 'a red fox' --no-metadata --guidance cfg -o cfg.png
draw -p 'a red fox' --no-metadata --guidance pag:scale=0 -o neutral.png
same plain.png cfg.png
same plain.png neutral.png
grep -q 'changes nothing' "$place/err" || fail "a neutral method is left out in silence"
for method in none cfg-zero apg:eta=0 pag seg:sigma=1 rescale interval freeu nag gag; do
    draw -p 'a red fox' -n blue --no-metadata --guidance "$method" -o "guided.png"
    differ plain.png guided.png
done
draw -p 'a red fox' --no-metadata --sampling-method ddim --guidance cfg++ -o guided.png
for option in '--pladis-sites self' '--pladis-branches conditional' '--pladis-temperature 0.5'; do
    # shellcheck disable=SC2086
    draw -p 'a red fox' --no-metadata $option -o guided.png
    differ plain.png guided.png
done
draw -p 'a red fox' --guidance pag --guidance rescale:phi=0.5 -o guided.png
grep -q -a 'pag (scale 3, layers mid), rescale (phi 0.5)' guided.png || fail "the parameters lack the guidance"
for pair in 'cfg++ apg' 'none rescale' 'pag pag' 'none interval' 'apg cfg:scale=3' 'pag:layers=nowhere cfg' \
    'interval:start=0.5,end=0.5 cfg' 'cfg-zero:scale=1 pag'; do
    expect 2 generate -m "$model" -W 64 -H 64 --steps 3 -p x --guidance "${pair% *}" --guidance "${pair#* }" -o no.png
done
expect 2 generate -m "$model" -W 64 -H 64 --steps 3 -p x --sampling-method heun --guidance cfg++ -o no.png
expect 2 generate -m "$model" -W 64 -H 64 --steps 3 -p x --cfg-scale 5 --guidance none -o no.png
[ ! -e no.png ] || fail "a refused run left a picture"

# Statistics of attention, which change nothing.
draw -p 'a red fox' --no-metadata --attention-stats stats.json -o watched.png
same plain.png watched.png
draw -p 'a red fox' --no-metadata --attention-stats stats.csv -o watched.png
grep -q '"entropy_dense"' stats.json || fail "no entropies in the statistics"
[ "$(head -n 1 stats.csv)" = site,kind,block,head,rows,keys,zeros,entropy_sparse,entropy_dense ] ||
    fail "the statistics' header differs"
[ "$(wc -l <stats.csv)" -gt 10 ] || fail "no rows in the statistics"

# A batch: picture i is a single run with seed + i.
draw -p 'a red fox' -b 3 -q -o batch.png
same one.png batch-1.png
same seed.png batch-2.png
[ -f batch-3.png ] || fail "the third picture is missing"
draw -p 'a red fox' -b 2 -q -o 'named-%02d.png'
same one.png named-01.png
same seed.png named-02.png
printf 'a red fox\r\n\na blue fox\n' >prompts.txt
draw --prompt-file prompts.txt -q -o file.png
same one.png file-1.png
same prompt.png file-2.png

# Random seeds are printed and lead back to the picture.
draw -p 'a red fox' -s -1 -o random.png
seed=$(sed -n 's/^seed *\([0-9]*\)$/\1/p' "$place/err")
[ -n "$seed" ] || fail "the random seed is not printed"
draw -p 'a red fox' -s "$seed" -o again.png
same random.png again.png

# Metadata, with base names only, and without.
for text in parameters 'Steps: 3, Sampler: ' 'a red fox' 'CFG scale: ' 'Seed: 42' 'Size: 64x64' 'Model: sd15' 'PLADIS scale: ' 'Version: pladis '; do
    grep -q -a "$text" one.png || fail "the parameters lack $text"
done
grep -q -a 'Negative prompt: blue' negative.png || fail "the parameters lack the negative prompt"
! grep -q -a "tests/data" one.png || fail "a path is in the PNG"
draw -p 'a red fox' --no-metadata -o bare.png
! grep -q -a 'fox' bare.png || fail "--no-metadata leaves the prompt in the PNG"
is_png bare.png

# Sheets.
draw -p 'a red fox' --compare -o compare.png
is_png compare.png
! grep '^cost' "$place/err" || fail "a cost is told from three steps"
draw --prompt-file prompts.txt --sheet --columns 2 --zoom 2 -o sheet.png
is_png sheet.png
[ ! -f sheet-1.png ] || fail "a sheet is one file"

# Unusual prompts and scales.
draw -p '' -o empty.png
draw -p 'a red fox' --pladis 50 -o far.png
grep -q 'note: --pladis 50' "$place/err" || fail "no notice for a scale of 50"
long=$(yes 'fox ' | head -n 2500 | tr -d '\n')
[ ${#long} -eq 10000 ] || fail "the long prompt is not long"
draw -p "$long" -o long.png
draw -p "$long" --literal-prompt -o literal.png
draw -p '((((' -o brackets.png
draw -p 'żółć 🦊 狐' -o foreign.png

# Report and dump.
draw -p 'a red fox' --report report.json --dump dump.safetensors --dump-steps -o dumped.png
same one.png dumped.png
draw -p 'a red fox' --profile trace.json -o profiled.png
same one.png profiled.png
grep -q 'cross_attention' "$place/err" || fail "the profile is not printed"
python3 - <<'END' || fail "profile"
import json
events = json.load(open("trace.json"))["traceEvents"]
assert {"stage", "network", "operator"} <= {event.get("cat") for event in events}
assert any(event["name"] == "down_blocks.0.attentions.0.transformer_blocks.0.attn2" for event in events)
END
python3 - <<'END' || fail "report or dump"
import json, struct
report = json.load(open("report.json"))
for name in ("version model family seed parameters stages peak_memory_bytes isa threads evaluations "
             "attention_sites").split():
    assert name in report, name
assert report["seed"] == 42 and report["parameters"]["steps"] == 3 and report["evaluations"] > 0
assert report["peak_memory_bytes"] > 1 << 20 and sum(report["attention_sites"].values()) > 0
assert any(name.startswith("pladis") for name in report["attention_sites"])
data = open("dump.safetensors", "rb").read()
size, = struct.unpack("<Q", data[:8])
header = json.loads(data[8:8 + size])
for name in ("latents_init latents decoded prompt_embeds negative_prompt_embeds timesteps noise_pred.00 "
             "latents.00").split():
    assert header[name]["dtype"] == "F32", name
assert header["decoded"]["shape"] == [1, 3, 64, 64], header["decoded"]
END
draw -p 'a red fox' -s 42 --init-noise dump.safetensors --no-metadata -o noise.png
same bare.png noise.png

# Every sampler draws but the one of other models, and every schedule.
for sampler in $("$pladis" list samplers | awk '$1 != "scm" { print $1 }'); do
    draw -p 'a red fox' --sampling-method "$sampler" -q -o "sampler.png"
    is_png sampler.png
done
refused 1 "sampler 'scm' is for models that state SCMScheduler.*choose another sampler" generate -m "$model" -p x --sampling-method scm
for schedule in $("$pladis" list schedulers | awk '{ print $1 }'); do
    draw -p 'a red fox' --sampling-method euler --scheduler "$schedule" -q -o "sampler.png"
    is_png sampler.png
done
for instructions in $("$pladis" list isa | grep -v 'lacks' | awk '{ print $1 }'); do
    draw -p 'a red fox' --isa "$instructions" -q -o isa.png
done
[ -z "$(find . -name '*.png.*' -o -name '.*' ! -name .)" ] || fail "temporary files were left: $(ls -A)"

# A session that remembers texts draws what a fresh one draws, also when a text comes back after being forgotten.
printf 'a cat\na dog\n(a cat:1.2)\na fox\na hen\na cow\na cat\n' >again.txt
expect 0 generate -m "$model" --prompt-file again.txt --steps 1 -q --no-metadata -o again-%d.png
cmp again-1.png again-7.png || fail "the same prompt gave another picture later in the run"
expect 0 generate -m "$model" -p 'a cow' --steps 1 -q --no-metadata -o fresh.png
cmp again-6.png fresh.png || fail "a prompt after others gave another picture than alone"
if cmp -s again-1.png again-3.png; then fail "weights were forgotten"; fi
expect 0 generate -m "$model" -p 'a cat' --literal-prompt --steps 1 -q --no-metadata -o literal.png
cmp again-1.png literal.png || fail "a prompt without syntax is not the literal one"

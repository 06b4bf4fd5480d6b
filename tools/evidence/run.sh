#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Draw the evidence: what PLADIS does to the demo model's alignment. Resumes if it was interrupted.
# usage: run.sh PROGRAM WORK_FOLDER DOCS_FOLDER
#
# WORK_FOLDER gets every result, DOCS_FOLDER/evidence the plots, sheets and summaries, DOCS_FOLDER/evidence.md its tables
# between the lines <!-- evidence:NAME --> and <!-- evidence:end -->.
#
#   EVIDENCE_MODEL   demo                 EVIDENCE_SCALES  0,0.5,1,1.5,2,2.5,3   lambda
#   EVIDENCE_EACH    84 (504 prompts)     EVIDENCE_ALPHAS  1.25,1.5,2
#   EVIDENCE_STEPS   10                   EVIDENCE_CFG     1,2,4,6,8
#   EVIDENCE_JOBS    the number of cores
set -euo pipefail
export LC_ALL=C
program=$1
work=$2
docs=$3
model=${EVIDENCE_MODEL:-demo}
each=${EVIDENCE_EACH:-84}
steps=${EVIDENCE_STEPS:-10}
jobs=${EVIDENCE_JOBS:-$(nproc)}
scales=${EVIDENCE_SCALES:-0,0.5,1,1.5,2,2.5,3}
alphas=${EVIDENCE_ALPHAS:-1.25,1.5,2}
cfg=${EVIDENCE_CFG:-1,2,4,6,8}
mkdir -p "$work" "$docs/evidence"

evaluate() {
    "$program" evaluate -m "$model" --steps "$steps" --dtype f32 -j "$jobs" "$@"
}

# The base model's best CFG scale is chosen on prompts that are not in the tables below.
best=$(evaluate --split development --each "$each" --grid "pladis=0 cfg-scale=$cfg" --select cfg-scale -o "$work/development")
# The second scale for the table of alphas is 1 (no guidance) or, if 1 is the best, the middle one of the others.
other=1
if [ "$best" = 1 ]; then
    other=$(echo "$cfg" | tr ',' '\n' | awk '$1 != 1 { v[n++] = $1 } END { print v[int((n - 1) / 2)] }')
fi
evaluate --each "$each" --pladis-alpha 1.5 --grid "pladis=$scales cfg-scale=$cfg" \
    --grid "pladis=$scales pladis-alpha=$alphas cfg-scale=$other,$best" -o "$work/heldout"

# Print the columns $2… of CSV file $1, separated by tabs, one line per row.
columns() {
    awk -F, -v wanted="${*:2}" '
        { sub(/\r$/, "") }
        NR == 1 { for (i = 1; i <= NF; i++) place[$i] = i; n = split(wanted, name, " "); next }
        { for (i = 1; i <= n; i++) printf "%s%s", $place[name[i]], i < n ? "\t" : "\n" }' "$1"
}

# Sort the values of lambda by the confidence interval of the difference from PLADIS off, at alpha 1.5.
findings() {
    echo "| CFG scale | better than off | no clear difference | worse than off |"
    echo "| --- | --- | --- | --- |"
    columns "$work/heldout/summary.csv" category cfg-scale pladis pladis-alpha difference difference_low difference_high |
        awk -F'\t' '
            $1 == "all" && $4 == "1.5" {
                if (!($2 in seen)) { seen[$2] = 1; order[n++] = $2 }
                kind = $6 > 0 ? "better" : $7 < 0 ? "worse" : "same"
                text = sprintf("%s (%+.1f)", $3, 100 * $5)
                list[$2, kind] = list[$2, kind] (list[$2, kind] == "" ? "" : ", ") text
            }
            function or_none(text) { return text == "" ? "–" : text }
            END {
                for (i = 0; i < n; i++)
                    printf "| %s | %s | %s | %s |\n", order[i], or_none(list[order[i], "better"]),
                        or_none(list[order[i], "same"]), or_none(list[order[i], "worse"])
            }'
}

# Compare the network's time with PLADIS on (alpha 1.5, mean over lambda) and off, in the same run.
cost() {
    echo "| CFG scale | off, ms | on, ms | on / off |"
    echo "| --- | --- | --- | --- |"
    columns "$work/heldout/cost.csv" cfg-scale pladis pladis-alpha denoise_seconds | awk -F'\t' '
        $2 == "0" { if (!($1 in off)) order[n++] = $1; off[$1] = $4 }
        $2 != "0" && $3 == "1.5" { on[$1] += $4; count[$1]++ }
        END {
            for (i = 0; i < n; i++) if (count[order[i]] > 0) {
                mean = on[order[i]] / count[order[i]]
                printf "| %s | %.0f | %.0f | %.3f |\n", order[i], 1e3 * off[order[i]], 1e3 * mean, mean / off[order[i]]
            }
        }'
}

settings() {
    local fingerprint
    fingerprint=$(sed -n 's/.*"model_fingerprint": "\([0-9a-f]*\)".*/\1/p' "$work/heldout/results.json")
    echo "Model \`$(basename "$model")\` (fingerprint $fingerprint), $steps steps, prompts: at most $each of each category;"
    echo "best CFG scale of the base model on the development split: $best; \`$("$program" --version)\`, $jobs pictures at a time."
}

# Put standard input between the lines <!-- evidence:$1 --> and <!-- evidence:end --> of evidence.md.
fill() {
    local file=$docs/evidence.md block
    block=$(cat)
    grep -q "^<!-- evidence:$1 -->$" "$file" || { echo "$file: expected the line <!-- evidence:$1 -->, found none; put it back" >&2; exit 1; }
    BLOCK=$block awk -v begin="<!-- evidence:$1 -->" '
        $0 == begin { print; print ENVIRON["BLOCK"]; inside = 1 }
        $0 == "<!-- evidence:end -->" { inside = 0 }
        !inside' "$file" >"$file.new"
    mv "$file.new" "$file"
}

settings | fill settings
findings | fill findings
fill heldout <"$work/heldout/summary.md"
fill development <"$work/development/summary.md"
cost | fill cost
for name in summary.csv cost.csv alignment-1.svg alignment-2.svg pictures-1.png; do
    cp "$work/heldout/$name" "$docs/evidence/$name"
done
cp "$work/development/summary.csv" "$docs/evidence/development.csv"
echo "evidence: $docs/evidence.md, $docs/evidence/"

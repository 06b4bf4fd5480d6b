#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The evidence of docs/evidence.md, made small: two prompts of each category, a few settings, one step.
. "$2/tests/cli/common.sh"

mkdir docs
cp "$source/docs/evidence.md" docs
export EVIDENCE_EACH=2 EVIDENCE_STEPS=1 EVIDENCE_JOBS=2 EVIDENCE_SCALES=0,1 EVIDENCE_ALPHAS=1.5,2 EVIDENCE_CFG=1,4
"$source/tools/evidence/run.sh" "$pladis" work docs >"$place/out" 2>"$place/err" || fail "no evidence"
[ "$(grep -c 'Not drawn yet' docs/evidence.md)" -eq 0 ] || fail "a table was left out"
# 4 settings of lambda and CFG scale, and lambda 1 with the other alpha at two scales; 12 prompts
[ "$(grep -c '"verdict"' work/heldout/results.jsonl)" -eq 72 ] || fail "72 pictures expected"
grep -q '^12 prompts, 1 picture of each in each of 6 settings' docs/evidence.md || fail "no table of the held-out prompts"
grep -q '^12 prompts, 1 picture of each in each of 2 settings' docs/evidence.md || fail "no table of the other prompts"
grep -q '^| [14] | [^|]* | [^|]* | [^|]* |$' docs/evidence.md || fail "no findings"
grep -q '^| 4 | [0-9]* | [0-9]* | [0-9.]* |$' docs/evidence.md || fail "no cost"
for file in summary.csv cost.csv development.csv alignment-1.svg alignment-2.svg pictures-1.png; do
    [ -s "docs/evidence/$file" ] || fail "no $file"
done
# Done once more nothing is drawn, and the page is the same.
cp docs/evidence.md before.md
"$source/tools/evidence/run.sh" "$pladis" work docs >"$place/out" 2>"$place/err" || fail "no evidence the second time"
cmp before.md docs/evidence.md || fail "the page changed"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The model that ships is found by its name and draws.
. "$2/tests/cli/common.sh"

expect 0 info
expect 0 generate -p 'a red circle' --steps 2 -o plain.png
expect 0 generate -m demo -p 'a red circle' --steps 2 -o named.png
cmp plain.png named.png || fail "demo is not the default"
mkdir "$place/models"
ln -s "$model" "$place/models/small"
PLADIS_MODEL_DIR=$place/models "$pladis" info small >"$place/out" || fail "PLADIS_MODEL_DIR is not looked in"

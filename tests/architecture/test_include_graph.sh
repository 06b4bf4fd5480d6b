#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The check itself must find what it is for: each bad line in a copy of the sources makes it fail.
# usage: test_include_graph.sh SOURCE_FOLDER
set -eu
check=$1/tests/architecture/include_graph.sh
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$1" && tar cf - src apps bench examples include) | tar xf - -C "$copy"

"$check" "$1"
expect_refusal() {
    cp "$copy/$1" "$copy/kept"
    printf '#include %s\n' "$2" >>"$copy/$1"
    if "$check" "$copy" >"$copy/said"; then
        echo "not refused: $2 in $1" >&2
        exit 1
    fi
    grep -q "^$1:" "$copy/said"
    mv "$copy/kept" "$copy/$1"
}
expect_refusal src/core/tensor.c '"kernels/table.h"'
expect_refusal src/kernels/attention.c '"io/json.h"'
expect_refusal src/io/json.c '"kernels/table.h"'
expect_refusal src/io/json.c '"text/tokenizer.h"'
expect_refusal src/text/trie.c '"kernels/table.h"'
expect_refusal src/io/json.c '"pladis/pladis.h"'
expect_refusal src/io/json.c '<pladis/pladis.h>'
expect_refusal src/io/json.c '"../core/log.h"'
expect_refusal src/io/json.c '<dnnl.h>'
expect_refusal apps/cli/main.c '"core/log.h"'
expect_refusal apps/cli/main.c '"bench/measure.h"'
expect_refusal bench/measure.c '<dnnl.h>'
expect_refusal src/pipeline/model.c '"models/unet/unet.h"'
expect_refusal src/pipeline/model.c '"models/families/rows.h"'
expect_refusal bench/stages.c '"models/pixart/pixart.h"'
expect_refusal src/models/pixart/network.c '"models/unet/transformer.h"'
expect_refusal src/pipeline/model.c '"bench/bench.h"'

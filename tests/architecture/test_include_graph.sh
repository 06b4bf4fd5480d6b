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
expect_refusal src/kernels/attention.c '"io/json/read.h"'
expect_refusal src/io/json/read.c '"kernels/table.h"'
expect_refusal src/io/json/read.c '"text/tokenizer.h"'
expect_refusal src/text/vocabulary/trie.c '"kernels/table.h"'
expect_refusal src/io/json/read.c '"pladis/pladis.h"'
expect_refusal src/io/json/read.c '<pladis/pladis.h>'
expect_refusal src/io/json/read.c '"../core/log.h"'
expect_refusal src/io/json/read.c '<dnnl.h>'
expect_refusal apps/cli/main.c '"core/log.h"'
expect_refusal apps/cli/main.c '"bench/measure.h"'
expect_refusal bench/measure.c '<dnnl.h>'
expect_refusal src/pipeline/model/model.c '"models/unet/unet.h"'
expect_refusal src/pipeline/model/model.c '"models/families/rows.h"'
expect_refusal bench/stages.c '"models/pixart/pixart.h"'
expect_refusal src/models/pixart/network.c '"models/unet/transformer.h"'
# A circle of rooms, direct or by way of a third.
expect_refusal src/io/files/text_file.c '"io/json/read.h"'
expect_refusal src/io/files/text_file.c '"io/tensors/safetensors.h"'
expect_refusal apps/cli/canvas/canvas.c '"pages/sheet.h"'
expect_refusal apps/cli/terminal/message.c '"evaluate/evaluation.h"'
expect_refusal src/text/clip/bpe.c '"loras/names.h"'
expect_refusal src/models/part.h '"loras/names.h"'
expect_refusal src/loras/names.c '"nn/build.h"'
expect_refusal src/pipeline/model/model.c '"bench/bench.h"'
expect_refusal src/nn/plan.c '"kernels/kernels.h"'
expect_refusal src/nn/plan.c '"backends/backend.h"'
expect_refusal src/models/unet/network.c '"kernels/kernels.h"'
expect_refusal src/models/unet/network.c '"backends/backend.h"'
expect_refusal src/backends/executor.c '"backends/cpu/cpu.h"'
expect_refusal src/backends/null/check.c '"backends/cpu/cpu.h"'
expect_refusal src/pipeline/session/session.c '"backends/cpu/cpu.h"'

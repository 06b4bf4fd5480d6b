#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The bytes of a picture do not depend on the number of threads, whatever way it is computed.
. "$2/tests/cli/common.sh"

# draw NAME OPTIONS...: the same picture on 1, 2, 3 and 7 threads; parallel loops need pictures of some size.
draw() {
    name=$1
    shift
    for threads in 1 2 3 7; do
        expect 0 generate -W 128 -H 96 --steps 2 -p 'a (red:1.2) fox' --no-metadata -q "$@" -t $threads \
            -o "$name-$threads.png"
        cmp "$name-1.png" "$name-$threads.png" || fail "$name: another picture on $threads threads"
    done
}

draw plain -m "$model"
draw direct -m "$model" --conv direct
draw winograd -m "$model" --conv winograd
draw bf16 -m "$model" --dtype bf16
draw low-memory -m "$model" --low-memory
draw sdxl -m "$source/tests/data/reference/models/sdxl"
draw lora -m "$model" --lora "$source/tests/data/loras/files/dora-columns.safetensors:0.7" \
    --lora "$source/tests/data/loras/files/lokr.safetensors"
draw guidance -m "$model" --guidance pag:scale=3 --attention-maps fox --attention-maps-output maps.png

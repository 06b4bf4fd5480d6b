#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the vocabularies that ./dev setup has downloaded: CLIP's list of merges, and the folders of Qwen3, T5 and SANA. Those that
# it has not are left out.
# usage: install_vocabulary.sh SOURCE_FOLDER TARGET_FOLDER (meson gives DESTDIR)
set -eu
source=$1
target=${DESTDIR:-}$2
for name in bpe_simple_vocab_16e6.txt.gz qwen3/tokenizer.json.gz qwen3/tokenizer_config.json \
    qwen3/special_tokens_map.json t5/tokenizer.json t5/tokenizer_config.json t5/special_tokens_map.json \
    sana/complex_instruction.txt; do
    [ -f "$source/$name" ] || continue
    mkdir -p "$(dirname "$target/$name")"
    cp "$source/$name" "$target/$name"
    chmod 644 "$target/$name"
done

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install CLIP's vocabulary where ./dev setup has fetched it; nothing happens where it has not.
# usage: install_vocabulary.sh SOURCE_FOLDER TARGET_FOLDER (meson gives DESTDIR)
set -eu
file=$1/bpe_simple_vocab_16e6.txt.gz
target=${DESTDIR:-}$2
[ -f "$file" ] || exit 0
mkdir -p "$target"
cp "$file" "$target/"
chmod 644 "$target/bpe_simple_vocab_16e6.txt.gz"

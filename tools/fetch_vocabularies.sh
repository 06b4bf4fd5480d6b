#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Vocabularies that checkpoints need and do not hold, out of Python packages that carry them: CLIP's (open_clip_torch),
# Qwen3's and T5's (invokeai). What is there already is not fetched again; without the network everything else still
# works, and tests that need one say that they are skipped.
# usage: fetch_vocabularies.sh FOLDER
set -euo pipefail
target=$1

# Download package $1 and take out of it the files that the following words name, each as PATH=NAME below $target.
# Wheels are asked for as for Python 3.12, since invokeai refuses later ones; nothing of them is run.
take() {
    local package=$1 folder status=0
    shift
    folder=$(mktemp -d)
    echo "fetching vocabularies (package $package)"
    python3 -m pip download --quiet --disable-pip-version-check --retries 1 --timeout 10 --no-deps --only-binary :all: \
        --python-version 3.12 --dest "$folder" "$package" >"$folder/log" 2>&1 || status=1
    if [ $status -eq 0 ]; then
        python3 - "$target" "$folder"/*.whl "$@" <<'END' || status=1
import os, sys, zipfile

target, wheel, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as package:
    for path, name in (word.split("=") for word in wanted):
        place = os.path.join(target, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place + ".new", "wb") as file:
            file.write(package.read(path))
        os.replace(place + ".new", place)
END
    fi
    [ $status -eq 0 ] || tail -n 1 "$folder/log" | cut -c 1-100 >&2
    rm -rf "$folder"
    return $status
}

clip=bpe_simple_vocab_16e6.txt.gz
[ -f "$target/$clip" ] || take open_clip_torch "open_clip/$clip=$clip" ||
    echo "dev: CLIP's vocabulary cannot be had; single-file checkpoints will need --tokenizer until './dev setup' can fetch it" >&2

others=()
for file in qwen3/tokenizer.json.gz qwen3/tokenizer_config.json qwen3/special_tokens_map.json t5/tokenizer.json \
    t5/tokenizer_config.json t5/special_tokens_map.json; do
    others+=("invokeai/backend/${file%%/*}/tokenizer/${file##*/}=$file")
done
if ! [ -f "$target/qwen3/tokenizer.json.gz" ] || ! [ -f "$target/t5/tokenizer.json" ]; then
    take invokeai "${others[@]}" ||
        echo "dev: the vocabularies of Qwen3 and T5 cannot be had; models without a tokenizer folder will need --tokenizer" >&2
fi

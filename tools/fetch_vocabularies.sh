#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Download what checkpoints need but do not contain, from Python packages: the vocabularies of CLIP (open_clip_torch), Qwen3 and
# T5 (invokeai), and the instruction with which SANA was trained (diffusers). What is present is not downloaded again. Without a
# network everything else still works, and tests that need a vocabulary say that they are skipped.
# usage: fetch_vocabularies.sh FOLDER
set -euo pipefail
target=$1

# Download package $1 and extract the files that the further arguments name, each PATH=NAME as NAME below $target. PATH:ARGUMENT
# is a list of lines: the default of an argument of __call__ in a Python file, which is parsed and not run. Wheels for
# Python 3.12 are requested, because invokeai refuses later versions; nothing in them is run.
take() {
    local package=$1 folder status=0
    shift
    folder=$(mktemp -d)
    echo "downloading vocabularies (package $package)"
    python3 -m pip download --quiet --disable-pip-version-check --retries 1 --timeout 10 --no-deps --only-binary :all: \
        --python-version 3.12 --dest "$folder" "$package" >"$folder/log" 2>&1 || status=1
    if [ $status -eq 0 ]; then
        python3 - "$target" "$folder"/*.whl "$@" <<'END' || status=1
import ast, os, sys, zipfile

target, wheel, *wanted = sys.argv[1:]


def default_of(source, argument):
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.FunctionDef) and call.name == "__call__":
            names = [name.arg for name in call.args.args]
            defaults = dict(zip(reversed(names), reversed(call.args.defaults)))
            if argument in defaults:
                return "\n".join(ast.literal_eval(defaults[argument])).encode()
    raise SystemExit(f"no default of {argument}")


with zipfile.ZipFile(wheel) as package:
    for path, name in (word.split("=") for word in wanted):
        place = os.path.join(target, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place + ".new", "wb") as file:
            path, _, argument = path.partition(":")
            content = package.read(path)
            file.write(default_of(content, argument) if argument else content)
        os.replace(place + ".new", place)
END
    fi
    [ $status -eq 0 ] || tail -n 1 "$folder/log" | cut -c 1-100 >&2
    rm -rf "$folder"
    return $status
}

clip=bpe_simple_vocab_16e6.txt.gz
[ -f "$target/$clip" ] || take open_clip_torch "open_clip/$clip=$clip" ||
    echo "dev: CLIP's vocabulary could not be downloaded; single-file checkpoints need --tokenizer until './dev setup' succeeds" >&2

others=()
for file in qwen3/tokenizer.json.gz qwen3/tokenizer_config.json qwen3/special_tokens_map.json t5/tokenizer.json \
    t5/tokenizer_config.json t5/special_tokens_map.json; do
    others+=("invokeai/backend/${file%%/*}/tokenizer/${file##*/}=$file")
done
if ! [ -f "$target/qwen3/tokenizer.json.gz" ] || ! [ -f "$target/t5/tokenizer.json" ]; then
    take invokeai "${others[@]}" ||
        echo "dev: the vocabularies of Qwen3 and T5 could not be downloaded; models without a tokenizer folder need --tokenizer" >&2
fi

instruction=sana/complex_instruction.txt
[ -f "$target/$instruction" ] ||
    take diffusers "diffusers/pipelines/sana/pipeline_sana.py:complex_human_instruction=$instruction" ||
    echo "dev: SANA's instruction could not be downloaded; its pictures differ from those of diffusers until './dev setup' succeeds" >&2

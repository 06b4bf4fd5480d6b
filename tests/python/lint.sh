#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ruff and mypy over the Python package, by the rules of pyproject.toml, and ComfyUI's copy of torch_rows.py. usage: lint.sh SOURCE_FOLDER
set -eu
cd "$1"
cmp python/pladis/torch_rows.py python/comfyui/torch_rows.py || { echo "copy python/pladis/torch_rows.py to python/comfyui"; exit 1; }
tools=.cache/clients/bin
for tool in ruff mypy; do
    [ -x "$tools/$tool" ] || { echo "skipped: $tool is not in $tools (./dev test fetches it)"; exit 77; }
done
"$tools/ruff" check --no-cache python tests/python tools/diffusers_timing.py bench
"$tools/mypy" --cache-dir=/dev/null

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ruff and mypy over the Python package, by the rules of pyproject.toml. usage: lint.sh SOURCE_FOLDER
set -eu
cd "$1"
tools=.cache/clients/bin
for tool in ruff mypy; do
    [ -x "$tools/$tool" ] || { echo "skipped: $tool is not in $tools (./dev test fetches it)"; exit 77; }
done
"$tools/ruff" check --no-cache python tests/python tools/diffusers_timing.py bench
"$tools/mypy" --cache-dir=/dev/null

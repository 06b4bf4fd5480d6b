#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The wheel, built of the sdist: installed in an environment of its own that has nothing else, and used there to draw.
# usage: wheel.sh SOURCE_FOLDER BUILD_FOLDER
set -eu
source=$1
folder=$2/wheel
python3 -m venv "$folder/probe" 2>/dev/null || { echo "skipped: this python3 makes no environments"; exit 77; }
"$source/tools/make_wheel.sh" "$folder" >"$folder/log" 2>&1 || {
    if grep -q "No matching distribution\|Failed to establish\|Name or service not known\|Could not find a version" "$folder/log"; then
        echo "skipped: the tools that make a wheel cannot be fetched"
        exit 77
    fi
    cat "$folder/log"
    exit 1
}
set -- "$folder"/pladis-*-py3-none-manylinux*.whl
[ $# -eq 1 ] && [ -f "$1" ] || { echo "expected one wheel for any Python 3, found $*"; exit 1; }
wheel=$1
listed=$(python3 -m zipfile -l "$wheel")
for module in "$source"/python/pladis/*.py; do # none was forgotten in meson.build
    echo "$listed" | grep -q "^pladis/$(basename "$module") " || { echo "the wheel has no $(basename "$module")"; exit 1; }
done
size=$(stat -c %s "$wheel")
echo "$(basename "$wheel"): $size bytes"
[ "$size" -le 20000000 ] || { echo "the wheel is larger than 20 MB"; exit 1; }
rm -rf "$folder/fresh"
python3 -m venv "$folder/fresh"
"$folder/fresh/bin/pip" install -q --disable-pip-version-check --no-deps "$wheel"
cd "$folder/fresh" # not beside the sources
# No compiler, no library named, no model folder: what is in the wheel is all there is.
env -i PATH="$folder/fresh/bin" HOME="$folder/fresh" "$folder/fresh/bin/python" - <<'PYTHON'
import importlib.resources
import sys

import pladis
import pladis.scoring

assert pladis.__file__.startswith(sys.prefix), pladis.__file__
caption = "a large red star above a small blue ring"
picture = pladis.Model("demo").generate(caption, pladis_scale=2, seed=133)
assert pladis.scoring.score(caption, picture)["all"], pladis.scoring.look(picture)
assert "Apache License" in importlib.resources.files(pladis).joinpath("LICENSE").read_text()
assert importlib.resources.files(pladis).joinpath("py.typed").is_file()
try:
    import torch
except ImportError:
    try:
        import pladis.diffusers
    except ImportError as problem:
        assert "torch" in str(problem), problem
print(f"pladis {pladis.__version__} draws")
PYTHON

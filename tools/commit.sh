#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Print the revision of the source folder, or "unknown" if it is not the top of a git work tree (for example unpacked from an
# archive, perhaps inside another project's work tree) or git is missing.
# usage: commit.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
revision=
if [ -e .git ] && command -v git >/dev/null; then
    revision=$(git describe --always --dirty --abbrev=12 '--exclude=*' 2>/dev/null)
fi
echo "${revision:-unknown}"

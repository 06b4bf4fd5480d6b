#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Print the revision of the source folder, "unknown" where it is no git work tree of its own: unpacked from an
# archive (also inside another project's work tree), or without git.
# usage: commit.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
revision=
if [ -e .git ] && command -v git >/dev/null; then
    revision=$(git describe --always --dirty --abbrev=12 '--exclude=*' 2>/dev/null)
fi
echo "${revision:-unknown}"

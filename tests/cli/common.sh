# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests of the program. Their arguments: the program, the source folder.
set -eu
pladis=$(realpath "$1")
source=$(realpath "$2")
# shellcheck disable=SC2034
model=$source/tests/data/reference/models/sd15
place=$(mktemp -d)
# Scripts import tensors.py.
export PYTHONPATH="$source/tests/cli" PYTHONDONTWRITEBYTECODE=1
trap 'rm -rf "$place"' EXIT
mkdir "$place/work"
cd "$place/work"

fail() {
    echo "FAILED: $*" >&2
    sed 's/^/    out: /' "$place/out" | head -n 5 | tr -cd '[:print:]\n' >&2
    sed 's/^/    err: /' "$place/err" | head -n 20 >&2
    exit 1
}

# expect CODE ARGUMENTS...: run pladis, its output goes to $place/out and $place/err.
expect() {
    wanted=$1
    shift
    found=0
    "$pladis" "$@" >"$place/out" 2>"$place/err" </dev/null || found=$?
    [ "$found" -eq "$wanted" ] || fail "pladis $(echo "$*" | cut -c 1-200): exit code $found, expected $wanted"
}

# refused CODE PATTERN ARGUMENTS...: one error line that matches, and nothing on standard output.
refused() {
    code=$1
    pattern=$2
    shift 2
    expect "$code" "$@"
    [ ! -s "$place/out" ] || fail "pladis $*: standard output is not empty"
    [ "$(wc -l <"$place/err")" -eq 1 ] || fail "pladis $*: expected one line on standard error"
    grep -q "^pladis: error: " "$place/err" || fail "pladis $*: no error line"
    grep -q -e "$pattern" "$place/err" || fail "pladis $*: the error does not say \"$pattern\""
}

# said PATTERN: standard output of the last run has it.
said() {
    grep -q -a -e "$1" "$place/out" || fail "no \"$1\" on standard output"
}

# empty_folder: the last run left no file, temporary ones included.
empty_folder() {
    [ -z "$(ls -A .)" ] || fail "files were left: $(ls -A .)"
}

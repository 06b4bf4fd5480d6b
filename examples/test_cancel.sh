#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The program of memory.c ends early, by what its progress callback returns and by a signal, and says so.
# usage: test_cancel.sh PROGRAM MODEL
set -eu
code=0
text=$("$1" "$2" "a red fox" 2 2>/dev/null) || code=$?
[ "$code" = 130 ] || { echo "two steps: expected the exit code 130, found $code" >&2; exit 1; }
[ "$text" = "cancelled: cancelled" ] || { echo "two steps: it says '$text'" >&2; exit 1; }

# A signal while it draws; some runs may have ended before it comes.
output=$(mktemp)
trap 'rm -f "$output" "$output.progress"' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
    : >"$output.progress"
    "$1" "$2" "a red fox" 2>"$output.progress" >"$output" &
    process=$!
    while kill -0 "$process" 2>/dev/null && [ ! -s "$output.progress" ]; do :; done
    kill -INT "$process" 2>/dev/null || true
    code=0
    wait "$process" || code=$?
    if [ "$code" = 130 ] && [ "$(cat "$output")" = "cancelled: cancelled" ]; then exit 0; fi
    [ "$code" = 0 ] || { echo "SIGINT: exit code $code: $(cat "$output")" >&2; exit 1; }
done
echo "SIGINT: not one of ten pictures was cancelled" >&2
exit 1

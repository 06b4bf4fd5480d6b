#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run a test of the Python package with $PYTHON, else with the one of .cache/clients, which has numpy (./dev test makes it), else with any.
# usage: run.sh SOURCE_FOLDER TEST ARGUMENTS...
set -eu
own=$1/.cache/clients/bin/python
shift
[ -x "$own" ] || own=python3
exec "${PYTHON:-$own}" "$@"

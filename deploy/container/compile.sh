#!/bin/sh
# Builds the wheel whose hot path is compiled, with locked tools: deploy/container/compile.sh DIRECTORY
# Needs a C compiler and Python's headers. Run at the top of a checkout; install.sh installs it as PACKAGE.
set -eu
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip install -q --no-cache-dir --disable-pip-version-check \
  --only-binary :all: --require-hashes -r requirements/core.txt -r deploy/container/compile.txt
COMPILE_HOT_PATH=1 "$tools/bin/hatchling" build -t wheel -d "$1"

#!/bin/sh
# Installs the gate into a fresh virtual environment, exactly as locked: every file by its hash, nothing built but
# the gate itself. Run at the top of a checkout:   deploy/container/install.sh DIRECTORY LOCK…
# PACKAGE names a wheel that is installed in place of the checkout, such as the one that compile.sh builds.
# The container build runs this very script, and so does its test.
set -eu
root=$1
shift
locks=
for lock in "$@"; do locks="$locks -r $lock"; done

"${PYTHON:-python3}" -m venv "$root"
# shellcheck disable=SC2086  # one word per lock
"$root/bin/python" -m pip install -q --no-cache-dir --disable-pip-version-check \
  --only-binary :all: --require-hashes $locks
"$root/bin/python" -m pip install -q --no-cache-dir --disable-pip-version-check \
  --no-deps --no-build-isolation --no-index "${PACKAGE:-.}"

#!/bin/sh
# Writes a CycloneDX bill of materials of an environment:   deploy/container/sbom.sh DIRECTORY FILE
# The tool has an environment of its own, so that it is no part of what it lists.
set -eu
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT

"${PYTHON:-python3}" -m venv "$tool"
"$tool/bin/python" -m pip install -q --no-cache-dir --disable-pip-version-check \
  --only-binary :all: --require-hashes -r deploy/container/sbom.txt
"$tool/bin/cyclonedx-py" environment --output-reproducible --pyproject pyproject.toml \
  --output-format JSON --output-file "$2" "$1/bin/python"

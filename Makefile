# Wardwise: every task by name. `make` alone lists them.
.DEFAULT_GOAL := help
PYTHON ?= $(shell for v in 3.11 3.12 3.13; do p=python$$v; $$p -c 'import venv, ensurepip' 2>/dev/null && { echo $$p; break; }; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
W      := $(BIN)/wardwise

# durable-rules is published as C source that names PyEval_CallObject, which Python 3.13 removed.
# PyObject_CallObject is the same function under its public name, so one macro is the whole repair.
export CPPFLAGS += $(shell $(BIN)/python -c 'import sys; print("-DPyEval_CallObject=PyObject_CallObject" if sys.version_info >= (3, 13) else "")' 2>/dev/null)

help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/ready ## make the environment (Python 3.11-3.13 and a C compiler are all it needs)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Wardwise needs Python 3.11, 3.12 or 3.13 with venv (Debian: apt-get install python3-venv python3-dev gcc)."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(BIN)/python requirements/dev.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements/dev.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps -e .
	touch $@

demo: setup ## invent a borough, run its week, print the list with reasons and one flag in full
	$(W) demo

serve: setup ## invent a borough and open the officers' site on it, with a made-up person for each role
	$(W) serve --demo --home demo-data

check: setup ## format, lint, types, layers, rules and their cases
	$(BIN)/ruff check engine api models tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(W) check --as-of 2026-11-23

test: check ## everything that must pass before a change lands
	$(BIN)/pytest -n 2 -m "not more"

test-all: check ## the same with the large random runs and the million-resident journey
	$(BIN)/pytest -n 2

bench: setup ## time weekly runs, screenings and pages beside something simpler; writes docs/bench.md
	$(BIN)/python -m tests.bench

pins: ## resolve requirements/*.txt again from pyproject.toml (hashes, no index named)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --group dev pyproject.toml -o requirements/dev.txt

vendor: ## fetch the site's style sheets and scripts again (Node and npm, only to upgrade them)
	$(BIN)/python api/static/vendor.py

.PHONY: help setup demo serve check test test-all bench pins vendor

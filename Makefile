# Two commands matter: `make demo` and `make test`. Both need Python 3.11 or newer, and install the rest into .venv.
PYTHON ?= python3
RUN := .venv/bin

.PHONY: demo setup test lint frontend sim bench bench-turnaround help

demo: ## everything on this machine, with simulated callers; Ctrl-C stops it
	@$(PYTHON) apps/demo/bootstrap.py

setup: ## the environment for development: .venv as the lock file says
	@$(PYTHON) -m venv .venv
	@$(RUN)/pip install --quiet uv
	@UV_PROJECT_ENVIRONMENT=.venv $(RUN)/uv sync --quiet --frozen --extra embedded

test: setup ## all tests; those that need a real FreeSWITCH or Chromium say so when they skip
	$(RUN)/pytest

lint: ## style, types, import contracts
	$(RUN)/ruff check . && $(RUN)/ruff format --check . && $(RUN)/mypy apps && $(RUN)/lint-imports --no-cache

frontend: ## check, test and build the pages' scripts into static/consoles/build (needs Node 20.19 or newer)
	cd apps/consoles/frontend && npm ci --no-audit --no-fund && npm run check && npm test && npm run build

SEEDS ?= 1000
sim: ## simulate SEEDS whole days with faults and crashes
	$(RUN)/pytest -q tests/sim -k promises --seeds $(SEEDS) -n auto

bench: ## figures of the core and the driver, each beside a peer
	$(RUN)/python -m tests.bench.core_events

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

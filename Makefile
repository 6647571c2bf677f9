# Two commands matter: `make demo` and `make test`. Both need Python 3.11 or newer, and install the rest into .venv.
PYTHON ?= python3
RUN := .venv/bin

.PHONY: demo setup test lint frontend screenshots sim bench bench-paint bench-takeover bench-wall bench-acd bench-wait help

demo: ## everything on this machine, with simulated callers; Ctrl-C stops it
	@$(PYTHON) apps/demo/bootstrap.py

setup: ## the environment for development: .venv as the lock file says
	@$(PYTHON) -m venv .venv
	@$(RUN)/pip install --quiet uv
	@UV_PROJECT_ENVIRONMENT=.venv $(RUN)/uv sync --quiet --frozen --extra embedded

# What drives a browser or a real switch, or holds itself to a time: with the machine for itself.
ALONE := tests/browser tests/demo tests/switch_live
# The others often wait for something: three share two cores.
BESIDE ?= 3

test: setup ## all tests, most side by side; those that need a real FreeSWITCH or Chromium say so when they skip
	@$(RUN)/pytest -n $(BESIDE) --dist loadfile $(addprefix --ignore=,$(ALONE)); beside=$$?; \
	$(RUN)/pytest $(ALONE) && exit $$beside

lint: ## style, types, import contracts
	$(RUN)/ruff check . && $(RUN)/ruff format --check . && $(RUN)/mypy apps && $(RUN)/lint-imports --no-cache

frontend: ## check, test and build the pages' scripts into static/consoles/build (needs Node 20.19 or newer)
	cd apps/consoles/frontend && npm ci --no-audit --no-fund && npm run check && npm test && npm run build

screenshots: setup ## the pictures of the README, from the demo in a real Chromium
	$(RUN)/python -m tests.browser.screenshots

SEEDS ?= 1000
sim: ## simulate SEEDS whole days with faults and crashes
	$(RUN)/pytest -q tests/sim -k promises --seeds $(SEEDS) -n auto

bench-paint: ## from the engine's event to the painted page, beside 200 simulated agents
	$(RUN)/python -m tests.bench.event_to_paint

bench-acd: ## turnaround and offers on a real FreeSWITCH, beside mod_callcenter and a bare loop
	$(RUN)/python -m tests.bench.acd

bench-takeover: ## kill -9 of the leading engine, 200 times under 20 calls a second, with a standby
	$(RUN)/python -m tests.bench.takeover

bench-wall: ## a wall of 1000 agents with 60 changes a second for a minute
	$(RUN)/python -m tests.bench.wall_endurance

bench-wait: ## the error of the expected wait, beside that of telling the last one
	$(RUN)/python -m tests.bench.expected_wait

bench: ## figures of the core, each beside a peer: events, matches, 48,000 agents
	$(RUN)/python -m tests.bench.core_events
	$(RUN)/python -m tests.bench.scale

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

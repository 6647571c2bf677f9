PYTHON ?= python3

.PHONY: demo test
demo: ## everything on this machine, with simulated callers; Ctrl-C stops it
	@$(PYTHON) apps/demo/bootstrap.py

test:
	.venv/bin/pytest

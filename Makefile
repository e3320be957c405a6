# Two commands for a fresh machine: `make demo` and `make test`. Each sets up what it needs.

PYTHON ?= python3
VENV ?= .venv
BREAK ?=
ARGS ?=
# Many tests wait for other processes: one worker more than this many processors keeps them busy.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
BIN = $(VENV)/bin
# Tests start Python thousands of times, and compile everything each time where this is set.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test lint types bench clean

help: ## Say what there is.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

setup: ## Make the environment and find or install a browser.
	@$(PYTHON) tools/setup.py --venv $(VENV)

demo: setup ## Run the six workflows against the example shop; BREAK=orders shows failures.
	@$(BIN)/python tools/demo.py --break "$(BREAK)"

test: setup ## Run the tests; ARGS are handed to pytest.
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: setup ## Check style, and that imports go down only.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache --no-logo

types: setup ## Check types.
	@$(BIN)/mypy

bench: setup ## Measure the cost, as ratios to bare pytest.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	@$(BIN)/python -m tests.benchmarks $(ARGS)
	@$(BIN)/python -m tests.benchmarks.bench_recording
	@$(BIN)/python -m tests.benchmarks.bench_ingest
	@$(BIN)/python -m tests.benchmarks.bench_report
	@$(BIN)/python -m tests.benchmarks.bench_evidence
	@$(BIN)/python -m tests.benchmarks.bench_cron
	@$(BIN)/python -m tests.benchmarks.bench_analysis
	@$(BIN)/python -m tests.benchmarks.bench_dispatch
	@$(BIN)/python -m tests.benchmarks.bench_idle

clean: ## Remove the environment and everything the demo stored.
	rm -rf $(VENV) .workflow-monitor workflow-report.html .mypy_cache .ruff_cache .pytest_cache

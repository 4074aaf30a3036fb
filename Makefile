# make run    set up .venv, run the default study, write results/demo/report.html
# make test   set up .venv, run the checks and tests that a change needs
# make quick  the tests that take under a minute in all
# make test-slow  the tests that take long and rarely break
# make fuzz   more bad input, new cases each time; CASES=20000 a class
# make test-faults  kill, damage and starve a running study, KILLS=5 times in each step (minutes)
# make test-slurm   run the workflow on a SLURM cluster of one node (root on Debian)
# make bench  measure speed and memory
# make clean  remove caches, never results or the environment
# ARGS go to Snakemake or pytest, e.g. make run ARGS="--config study=moleculenet mirror=FOLDER"
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := run
.PHONY: run test quick test-slow fuzz test-faults test-slurm bench clean

CORES ?= all
ARGS ?=
CASES ?= 20000
KILLS ?= 5
BIN := .venv/bin
READY := .venv/.ready

# A user of a container may have no home folder to write to and no name, which Snakemake needs.
ifneq ($(shell test -w "$${HOME:-}" && echo yes),yes)
export HOME := $(CURDIR)/.venv/home
endif
ifneq ($(shell id -un > /dev/null 2>&1 && echo yes),yes)
export LOGNAME ?= nobody
endif

run: $(READY)
	$(BIN)/snakemake --cores $(CORES) $(ARGS)
	$(BIN)/snakemake --cores $(CORES) --report results/.report.html $(ARGS) > /dev/null
	@$(BIN)/relatask scrub_report results/.report.html

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow" $(ARGS)

quick: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile -m quick $(ARGS)

test-slow: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile -m slow $(ARGS)

test-faults: $(READY)
	RELATASK_KILLS=$(KILLS) $(BIN)/python -m pytest -o addopts=-q -n 2 --dist worksteal tests/faults $(ARGS)

fuzz: $(READY)
	RELATASK_FUZZ_CASES=$(CASES) $(BIN)/python -m pytest -o timeout=0 -n auto tests/fuzz $(ARGS)

test-slurm: $(READY)
	$(BIN)/python -m pytest -o addopts=-q tests/slurm $(ARGS)

bench: $(READY)
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python -m "benchmarks.$$(basename "$$file" .py)"; done

clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# torch comes first and alone: the lock then finds it installed, and no other package can bring a second build.
$(READY): requirements.lock pyproject.toml
	@python=""; \
	for name in python3 python3.13 python3.12 python3.11; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1; then python="$$name"; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "relatask needs Python 3.11 or newer; install it so that python3 or python3.11 starts it, then run make again." >&2; exit 1; fi; \
	if ! $(BIN)/python -m pip --version > /dev/null 2>&1; then \
	  rm -rf .venv; \
	  "$$python" -m venv .venv || { echo "Python could not make the environment .venv; on Debian or Ubuntu install python3-venv, then run make again." >&2; exit 1; }; \
	fi
	@echo "Installing the pinned packages into .venv; this happens once and takes a few minutes."
	@$(BIN)/python -m pip install -qq "$$(grep '^torch==' requirements.lock)"
	@$(BIN)/python -m pip install -qq --require-hashes -r <(grep -v '^torch==' requirements.lock)
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $(READY)

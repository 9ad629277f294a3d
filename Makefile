# `make` lists the targets. Everything runs in .venv, which `make setup` makes.

PYTHON ?= python3
BIN := .venv/bin
CASES ?= benchmarks/cases

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev review test check format lint types imports judge bench bench-mutation bench-decode bench-knowledge bench-rules bench-wild clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Draftproof needs Python 3.11 or later: make PYTHON=python3.11 setup"; exit 2; }
	$(PYTHON) -m venv .venv

setup: .venv/bin/python ## Make .venv with the command, the embedder and the knowledge store (once)
	@$(BIN)/python tools/bootstrap_env.py

setup-dev: .venv/bin/python
	@$(BIN)/python tools/bootstrap_env.py --dev

review: setup ## Review the example design in examples/
	$(BIN)/draftproof review examples/tech-design.md --requirements examples/requirements.md \
	  --output tech-design-review.md

test: setup-dev ## Set up and run the whole test suite
	$(BIN)/python -m pytest -q --numprocesses auto --maxprocesses 4 --dist loadfile

check: lint types imports test ## Everything that has to hold before a commit

format: setup-dev ## Format the code
	$(BIN)/ruff check --fix --exit-zero --quiet src tests tools
	$(BIN)/ruff format src tests tools

lint: setup-dev
	$(BIN)/ruff check src tests tools
	$(BIN)/ruff format --check src tests tools

types: setup-dev
	$(BIN)/mypy

imports: setup-dev
	$(BIN)/lint-imports

judge: setup-dev ## Fit the judge's weights again, on CASES (folders of labelled cases)
	$(BIN)/python tools/fit_judge.py $(CASES)

bench: setup-dev bench-mutation ## Review all labelled cases in CASES, and damaged ones; print figures and times
	$(BIN)/python tools/bench.py $(CASES)

bench-mutation: setup-dev ## Damage good designs one statement at a time, and see what is noticed
	$(BIN)/python tools/mutation_bench.py $(CASES)

bench-decode: setup-dev ## Constrained decoding against the ready paths, on a model with random weights
	$(BIN)/python tools/decode_bench.py

bench-knowledge: setup-dev ## Search over the notes, and what exemplars alone are worth
	$(BIN)/python tools/knowledge_bench.py

bench-rules: setup-dev ## Where the rules over facts fire, against the labels
	$(BIN)/python tools/rules_bench.py $(CASES)

bench-wild: setup-dev ## A thousand wild answers, from random weights and schemas, each held against its schema
	$(BIN)/python tools/wild_trials.py

clean: ## Remove the environment and what was built
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# `make test` does everything, also on a fresh machine: it makes .venv, installs into it, and checks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
WORKERS ?= 2
REVIEW ?= oracle

.PHONY: test test-faults test-drawing test-benchmarks test-tools demo quick lint types install bench lock lock-deps docs clean

test: lint types ## lint, types and all tests (about fifteen minutes on two cores); the drawing's only if it has changed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --drawing-if-changed

test-faults: $(INSTALLED) ## kills at each call of Git, where `make test` takes each eighth, 100 at random moments of whole loops, and the demo twice (an hour)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m faults --every-kill

test-drawing: $(INSTALLED) ## the tests of the demo's drawing; when they pass, `make test` leaves them out until it changes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/demo/drawing tests/starter/test_pages.py tests/starter/test_vocabulary.py --stamp-drawing

demo: $(INSTALLED) ## the whole loop on drawn sheets, in a copy of the project; REVIEW=page: reviewed by you (minutes, see README)
	$(BIN)/python -m demo run --review $(REVIEW)

quick: lint types ## the same without the tests that start DVC or train (under a minute)
	$(BIN)/python -m pytest -m "not slow and not tools and not dear"

test-benchmarks: $(INSTALLED) ## programs of benchmarks that train (minutes); `make test` tries the others
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/benchmarks -m dear

test-tools: $(INSTALLED) ## tools, clusters and servers of others, each in an environment of its own in .tools (needs PyPI; 10 minutes)
	bash tests/tools/install.sh
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/tools -m tools

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

install: $(INSTALLED) ## make .venv and install the pinned versions

$(INSTALLED): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(INSTALLED)

bench: $(INSTALLED) ## start-up and no-op costs as ratios measured in one run
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/noop.py

lock: $(INSTALLED) ## run the demo's iteration 0 again after a change of code: dvc.lock, metrics and plots follow it
	$(BIN)/python -m demo lock

lock-deps: $(INSTALLED) ## write requirements.lock from what is installed, after an upgrade
	$(BIN)/python -m pip freeze --exclude-editable | grep -viE '^(nvidia|cuda|triton)' > requirements.new
	(grep '^#' requirements.lock; cat requirements.new) > requirements.tmp
	mv requirements.tmp requirements.lock && rm requirements.new

docs: $(INSTALLED) ## write the pages of numbers and commands again from the code
	$(BIN)/python -m docs.numbers
	$(BIN)/python -m docs.switches

clean: ## remove caches and scratch, never data or models
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .scratch

# `make scan` and `make test` work on a fresh machine that has Python 3.11 or later, pip and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: scan test lint train evaluate validate clean

$(BIN)/.base: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(BIN)/.dev: $(BIN)/.base pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

scan: $(BIN)/.base  ## scan the sample messages in examples/inbox
	$(BIN)/sextortion-detect scan examples/inbox --show-text

test: $(BIN)/.dev  ## run the test suite with branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

lint: $(BIN)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

validate: $(BIN)/.dev  ## check the corpora
	$(BIN)/python -m training validate

train: $(BIN)/.dev  ## rebuild the bundled model, evaluate it, write its card and the README's figures
	$(BIN)/python -m training
	$(BIN)/python -m training readme

evaluate: $(BIN)/.dev  ## measure the bundled model on whatever data is present
	$(BIN)/python -m training evaluate
	$(BIN)/python -m training card

clean:
	rm -rf $(VENV) build dist

# make repro      install into .venv, then run the whole pipeline: data, training, figures, reports
# make test       install, then run all tests
# make quick      the whole graph at reduced settings, in a scratch copy
# make bench      measure side by side with peers: benchmarks/RESULTS.md
# make verify     compare the results in the workspace with the committed ones
# Paths stay relative: the project's folder may have spaces or Chinese characters in its name.

PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONUNBUFFERED := 1
.DEFAULT_GOAL := repro
.PHONY: repro test test-faults quick bench verify lint install requirements

repro: install
	@dvc repro

install: .venv/installed

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and f"Python 3.10 or newer is needed, found {sys.version.split()[0]}; run: make PYTHON=python3.12")'
	@echo "Installing the tested versions into .venv (about 6 GB on Linux, where PyTorch brings CUDA; some minutes) ..."
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch .venv/installed

test: install lint
	@python -m pytest -q

test-faults: install
	@NNLAB_FAULTS=full python -m pytest -q -m faults

lint: install
	@ruff check --quiet .
	@ruff format --check --quiet .
	@mypy

quick: install
	@python tests/quick.py

bench: install
	@python benchmarks/run.py

verify: install
	@nnlab verify

# The pinned versions, for every Python and system at once (needs uv: pip install uv).
# The CUDA packages are left out: each torch build asks for exactly its own.
requirements:
	@uv pip compile --quiet --universal --python-version 3.10 --extra dev --no-annotate --no-header pyproject.toml \
	  | grep -vE '^(nvidia|cuda|triton)' > requirements.new && mv requirements.new requirements.txt

# make repro         install into .venv, then run everything: data, training, figures, reports
# make install       install into .venv alone
# make test          install, then run the tests
# make quick         the whole graph at reduced settings, in a scratch copy
# make report        the web page, the PDF, and the zip to hand in
# make app           a page to play with what was trained
# make ship          make the trained AdaIN decoder the one that comes with the package
# make bench         measure side by side with peers: benchmarks/RESULTS.md
# Paths stay relative: the project's folder may have spaces or Chinese characters in its name.

PYTHON ?= python3
BIN := .venv/bin
# The downloads are beside what they become: /tmp may be small, or in memory.
PIP := TMPDIR="$${TMPDIR:-$(CURDIR)/.venv}" $(BIN)/python -m pip install --quiet --disable-pip-version-check
DVC := $(BIN)/python -m dvc
# Stages are started as `python stages/...`: this puts the environment's python first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONUNBUFFERED := 1
# DVC starts stages in the user's shell: tcsh would read its start file, and a container may lack the named one.
export SHELL := /bin/sh
# A cluster's modules and its pip's settings would mix other packages into the environment.
unexport PYTHONPATH PYTHONHOME
export PIP_USER := 0
TWO := --numprocesses 2 --dist loadfile --no-loadscope-reorder  # two workers; tests/conftest.py orders the files
# Gradio asks for Pillow below 13, without need; what else it asks for is in requirements.txt.
GRADIO := gradio==6.31.0
WRONG_PYTHON := "Python 3.10 to 3.14 is needed, found " + sys.version.split()[0] + "; try: make PYTHON=python3.12"
LOST := .venv: its python does not start; load the module that it was made with, or remove .venv and type this again

.PHONY: repro report install test lint quick app ship bench requirements

repro: install
	@echo "The first run takes 25 to 40 minutes on two cores with fast bfloat16, 60 to 90 without; most is AdaIN's training,"
	@echo "which shows how long it still takes. Interrupted, it goes on where it was."
	@$(DVC) repro --all-pipelines

report: install
	@$(DVC) repro report/dvc.yaml
	@$(BIN)/python -m nnlab.report.pack

install: $(BIN)/installed
	@test -e .git || $(DVC) config --local core.no_scm true  # unpacked from a zip
	@test ! -e .git || ! grep -qs no_scm .dvc/config.local || $(DVC) config --local --unset core.no_scm

# An environment holds its folder's path: in a copied or moved project it would run the other one's code, or nothing.
# And its python may be gone: upgraded, or of a cluster's module that is not loaded.
OTHER := $(shell $(BIN)/python -I -c '' 2>/dev/null && test "$$(cat $(BIN)/installed 2>/dev/null)" -ef . || echo other)
ifneq ($(OTHER),)
.PHONY: $(BIN)/installed
endif
$(BIN)/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15) and $(WRONG_PYTHON))'
	@echo "Installing the tested versions into .venv (about 7 GB on Linux, where PyTorch brings CUDA; some minutes)"
	@test ! -s $@ || test "$$(cat $@)" -ef . || rm -rf .venv
	@test ! -s $@ || $(BIN)/python -I -c '' 2>/dev/null || { echo "$(LOST)" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv  # which without python3-venv leaves a python that has no pip
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation -e . $(GRADIO)  # setuptools is there: no network for what is installed
	@$(BIN)/python -m nnlab.report.plots_page .venv/plots.html
	@$(DVC) config --local plots.html_template ../.venv/plots.html
	@pwd -P > $@

test: install lint
	@$(BIN)/python -m pytest -q -rs --durations 15 $(TWO)

lint: install
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary

quick: install
	@$(BIN)/python tests/quick.py

app: install
	@$(BIN)/python -m nnlab.cli app --open

ship: install
	@$(BIN)/python -m nnlab.adain.shipped data/models/adain

bench: install
	@$(BIN)/python benchmarks/run.py

# The pinned versions, for every Python and system at once (needs uv: pip install uv).
# The CUDA packages are left out: each torch build asks for exactly its own. Gradio stands in GRADIO, without its bounds.
requirements:
	@uv pip compile --quiet --universal --python-version 3.10 --extra dev --no-annotate --no-header pyproject.toml \
	  | grep -vE '^(nvidia|cuda|triton|gradio==)' > requirements.new && mv requirements.new requirements.txt

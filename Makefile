# `make` lists the targets. Everything is installed into .venv from constraints.txt (versions and
# hashes); after that nothing needs a network.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Where state goes; the command line reads the same variable.
PARTNERLEDGER_HOME ?= var
HOME_DIR := $(abspath $(PARTNERLEDGER_HOME))
# Some environments set it, and then every start compiles dbt, Dagster and Great Expectations again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test lint format bench localstripe docs dbt-docs screenshots dev clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## install the locked environment into .venv; does nothing when it is there

$(STAMP): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) -V 2>&1): Python 3.11, 3.12 or 3.13 is needed; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "$(PYTHON) cannot make a virtual environment: install its venv module (python3-venv on Debian and Ubuntu)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --compile --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q program ingest payouts orchestration dashboards
	@touch $(STAMP)

demo: $(STAMP) ## one whole night of the sample programme, offline, with a summary
	@$(BIN)/partnerledger demo --home $(PARTNERLEDGER_HOME)

serve: $(STAMP) ## the web app over the demo, http://127.0.0.1:8321; anybody on this machine signs in
	@test -f $(HOME_DIR)/control.sqlite || $(BIN)/partnerledger demo --home $(PARTNERLEDGER_HOME)
	$(BIN)/partnerledger serve --demo --home $(PARTNERLEDGER_HOME)

test: $(STAMP) ## the whole test suite, in two processes
	$(BIN)/python -m tests.halves

lint: $(STAMP) ## style, names and the walls between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP) ## put the Python files into the house format
	$(BIN)/ruff format .

bench: $(STAMP) ## timings and peak memory of nights of several sizes (minutes)
	$(BIN)/python -m tests.bench

localstripe: $(STAMP) ## the real-input night: a Stripe-compatible server, the official SDK, files
	$(BIN)/python -m pytest tests/e2e/test_localstripe.py -rA

docs: $(STAMP) ## write the generated pages of docs/ again
	$(BIN)/python -m orchestration.docs_pages

# In memory and without a catalogue: the night's working file is never opened.
DBT_DOCS := $(abspath build/dbt-docs)
dbt-docs: $(STAMP) ## dbt's models, tests and graph as one page, build/dbt-docs/static_index.html
	PARTNERLEDGER_WAREHOUSE=:memory: $(BIN)/dbt --quiet docs generate --static --empty-catalog \
	  --project-dir dbt_project --profiles-dir dbt_project \
	  --target-path $(DBT_DOCS) --log-path $(DBT_DOCS)

screenshots: $(STAMP) ## write the pictures of docs/images again; needs chromium
	$(BIN)/python -m tests.browser.screenshots

dev: $(STAMP) ## Dagster's web interface on loopback, http://127.0.0.1:3000
	@mkdir -p $(HOME_DIR)/dagster
	DAGSTER_HOME=$(CURDIR) PARTNERLEDGER_DAGSTER_DIR=$(HOME_DIR)/dagster \
	  PARTNERLEDGER_HOME=$(HOME_DIR) PATH=$(abspath $(BIN)):$$PATH \
	  $(BIN)/dagster dev --module-name orchestration.definitions --host 127.0.0.1 --port 3000

clean: ## remove the environment and caches; never state
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build *.egg-info dbt_project/target dbt_project/logs
	find program ingest payouts orchestration dashboards tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Two commands: `make verify` and `make test`.  Each makes what it needs and is missing.
PYTHON ?= python3
CLAIM ?= claims/hard_neg_mrr.yaml
BIN := .venv/bin

.PHONY: verify test check setup env clean help

help:           ## Say what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# 0 (VERIFIED) and 1 (judged, and not that) are both a verdict reached; 2 and 3 are errors.
verify: env     ## Judge CLAIM=claims/....yaml; ends with 0 whenever a verdict was reached
	@$(BIN)/verify run $(CLAIM) --yes; code=$$?; \
	if [ $$code -le 1 ]; then exit 0; else exit $$code; fi

test: env check ## Lint, types, layers, schemas, and all tests
	$(BIN)/pytest -q

check: setup    ## Lint, types, layers and generated files, without running tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/generate_schemas.py --check

env: setup      ## The environment that scripts run in (1.5 GB on disk)
	@$(BIN)/verify env create

setup: .venv/.made ## The judge's own environment, and the system packages it needs

.venv/.made: pyproject.toml constraints.txt
	@sh tools/system_packages.sh
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean:          ## Remove what make made; verdicts and finished trials in .verify/store stay
	rm -rf .venv .verify/env

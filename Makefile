# Every target but help and lock needs .venv; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export CROSSWALK_TELEMETRY_DISABLED := 1
export DAGSTER_DISABLE_TELEMETRY := 1
export GX_ANALYTICS_ENABLED := false

.DEFAULT_GOAL := help
.PHONY: help demo test spark ui bench bench-quality bench-extraction bench-resolution bench-full-sync soak fidelity lint lock

help: ## list the targets
	@awk -F ':.*## ' '/^[.a-z-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv: $(VENV)/.installed ## create the environment from requirements.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit(f"Crosswalk needs Python 3.11 to 3.13; {sys.executable} is {v[0]}.{v[1]}. Run: make .venv PYTHON=/path/to/python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: .venv ## start the demo org, run the weekly full sync, print what it did
	$(BIN)/python -m apps.demo

# Half a gigabyte: only the tests and those who set matching.engine: spark need it.
spark: $(VENV)/.spark ## add Spark and a Java runtime to the environment

$(VENV)/.spark: $(VENV)/.installed requirements-spark.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --require-hashes -r requirements-spark.lock
	@touch $@

test: .venv spark ## run every test, with a real PostgreSQL, a real browser and a real Spark cluster
	@$(BIN)/python tests/browser/ensure_chromium.py
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

ui: .venv ## open the Dagster UI on the org of CROSSWALK_CONFIG, without it on the demo
	$(BIN)/python -m apps.ui

bench: .venv ## full sync of 200,000 accounts and 100,000 contacts: seconds and peak memory per stage
	$(BIN)/python -m benchmarks.full_sync --scale 0.1 --contacts 100000 --leads 50000

bench-extraction: .venv ## ROWS=N accounts × 40 columns: Crosswalk, the DuckDB floor and simple-salesforce side by side
	$(BIN)/python -m benchmarks.extraction --rows $(or $(ROWS),1000000)

bench-quality: .venv ## match quality on DATA=DIR, written to OUT=FILE; LABELS=N decisions may be asked
	@$(BIN)/python -m benchmarks.quality --data "$(DATA)" --out "$(OUT)" $(if $(LABELS),--labels "$(LABELS)")

fidelity: .venv ## the demo org by clients that we did not write: Salesforce CLI, jsforce and its own suite (Node.js, network)
	$(BIN)/python -m tests.fidelity

soak: .venv ## kill -9 at POINTS=200 moments and every scripted fault; SEED=N and ONLY=trial repeat what failed
	$(BIN)/python -m tests.soak --points $(or $(POINTS),200) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only "$(ONLY)")

bench-resolution: .venv ## ROWS=N accounts × N companies: Crosswalk and stock Splink 5 side by side, first time, re-link, 1 % changed
	$(BIN)/python -m benchmarks.resolution --rows $(or $(ROWS),200000)

bench-full-sync: .venv ## full sync and a 1 % delta at the documented limits, or SCALE=0.01 of them; MEMORY=4GB
	$(BIN)/python -m benchmarks.full_sync --scale $(or $(SCALE),1) --memory $(or $(MEMORY),2GB) $(if $(KEEP),--keep "$(KEEP)")

lint: .venv ## ruff and strict type checking
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock: ## write requirements.lock and requirements-spark.lock anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group dev pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --constraint requirements.lock --group pyproject.toml:spark -o requirements-spark.lock

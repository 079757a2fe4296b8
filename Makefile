# The verbs of this project. `make help` lists them; each sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# three for each of two cores, for what takes long mostly waits: WORKERS=0 runs in one process
WORKERS ?= 6
CLOUD ?= trove
# more gain nothing on two cores: the OpenStack needs them itself
CLOUD_WORKERS ?= 5

.DEFAULT_GOAL := help
.PHONY: help demo test chaos lint types integration cloud real kills fleet bench docs picture clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.app ## see it work: the real worker on a simulated cloud, no service needed
	@$(BIN)/trove-resources demo

test: $(VENV)/.dev ## unit, contract and chaos tests, no service needed (about 5 minutes)
	@$(BIN)/pytest -n $(WORKERS) --maxschedchunk 2 -m "not integration and not cloud"

chaos: $(VENV)/.dev ## more than 20,000 schedules, every ablation and mutant; writes docs/chaos.md
	@$(BIN)/python -m tests.chaos run --write docs/chaos.md

lint: $(VENV)/.dev ## ruff, and who may import whom
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy

integration: $(VENV)/.dev ## tests on real RabbitMQ, MariaDB and PostgreSQL (Debian, as root)
	@tests/services/up.sh
	@$(BIN)/pytest -n $(WORKERS) -m "integration and not cloud"

cloud: $(VENV)/.dev ## conformance and ways out on a real OpenStack, started here (Debian, as root)
	@tests/services/up.sh rabbitmq mariadb
	@tests/cloud/up.sh
	@. tests/cloud/env.sh && export TEST_CLOUD=$(CLOUD) && \
	  $(BIN)/pytest -n $(CLOUD_WORKERS) --maxschedchunk 1 -m "cloud and not alone" --ways-out=docs/ways-out.md && \
	  $(BIN)/pytest -m "cloud and alone" --ways-out=docs/ways-out.md

real: $(VENV)/.dev ## workers, RabbitMQ, MariaDB, OpenStack, and kills: the long real run
	@tests/services/up.sh rabbitmq mariadb
	@tests/cloud/up.sh
	@. tests/cloud/env.sh && TEST_CLOUD=$(CLOUD) $(BIN)/python -m tests.real.run --report docs/real-run.md

kills: $(VENV)/.dev ## the same while instances change hands between managers
	@tests/services/up.sh rabbitmq mariadb
	@tests/cloud/up.sh
	@. tests/cloud/env.sh && TEST_CLOUD=$(CLOUD) $(BIN)/python -m tests.real.kills --report docs/move-kills.md

fleet: $(VENV)/.dev ## 50 instances moved into stacks and back by `trove-resources migrate`
	@tests/services/up.sh rabbitmq mariadb
	@tests/cloud/up.sh
	@. tests/cloud/env.sh && TEST_CLOUD=$(CLOUD) $(BIN)/python -m tests.real.fleet_run --report docs/fleet-run.md

bench: $(VENV)/.dev ## the figures of docs/performance.md (wants a quiet machine)
	@$(BIN)/python -m tests.benchmarks --write
	@set -e; for each in $(basename $(notdir $(wildcard tests/benchmarks/bench_*.py))); do \
	  echo "== $$each"; $(BIN)/python -m tests.benchmarks.$$each; done

docs: $(VENV)/.dev ## write the generated files again: schemas, samples, metrics, options
	@$(BIN)/oslo-config-generator --config-file etc/config-generator.conf
	@$(BIN)/python -m consumer.codec.documents
	@$(BIN)/python -m consumer.telemetry.catalogue > docs/metrics.md

picture: $(VENV)/.app ## docs/demo.svg: what the demo prints
	@$(BIN)/trove-resources demo | $(BIN)/python -m tests.support.picture docs/demo.svg "make demo"

clean: ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)

# what the demo needs, and no more
$(VENV)/.app: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.app

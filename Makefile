# make demo: the main job on an example project.  make test: what a change has to pass.  make test-all: everything.
PYTHON ?= python3
VENV := .venv
TOOLS := .venv-lint
DEMO := build/demo

.PHONY: demo test test-all unit integration lint e2e kind updates check generate golden bench bench-deployments bench-sources bench-sync clean

# The command line alone is enough for the demo.
$(VENV)/bin/spinbox-deploy: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/spinbox-deploy pyproject.toml
	$(VENV)/bin/python -m pip install --quiet --group dev
	@touch $@

# The linters have requirements that exclude each other's, and Copier's.
$(TOOLS)/.done: pyproject.toml
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --upgrade pip
	$(TOOLS)/bin/python -m pip install --quiet --group lint
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" $(TOOLS)/bin/npm install --silent --no-audit --no-fund --prefix $(TOOLS)/railway railway@3.11.0
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" $(TOOLS)/bin/npm install --silent --no-audit --no-fund --prefix $(TOOLS)/prettier prettier@3
	@touch $@

demo: $(VENV)/bin/spinbox-deploy
	@rm -rf $(DEMO)
	@$(VENV)/bin/python -m tests.projects.compose demo $(DEMO) > /dev/null
	$(VENV)/bin/spinbox-deploy build --prod -C $(DEMO)
	@echo
	@echo "The example project is in $(DEMO)."

# Within half an hour on two cores. What else there is, `make test-all` runs.
test: check unit integration lint e2e

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy

unit: $(VENV)/.dev
	$(VENV)/bin/pytest -m "not integration and not lint and not e2e" -n 2

integration: $(VENV)/.dev
	$(VENV)/bin/pytest -m "integration and not extended" -n 2

lint: $(VENV)/.dev $(TOOLS)/.done
	$(VENV)/bin/pytest -m "lint and not extended" -n 2 --dist loadfile

# Skipped where no Docker engine answers; under CI=true that is a failure.
e2e: $(VENV)/.dev $(TOOLS)/.done
	$(VENV)/bin/pytest -m "e2e and not extended" -n 2 --dist loadgroup

# Everything, in six parts: make test-all SHARD=2/6 runs one, and what passed is not run again.
test-all: check $(TOOLS)/.done
	$(VENV)/bin/python -m tests.shards $(SHARD)

# The Kubernetes target on a real cluster; needs docker, kind and kubectl.
kind:
	sh tests/kind.sh

# Projects of an earlier commit, edited and updated: make updates SINCE=REVISION
updates: $(VENV)/.dev
	$(VENV)/bin/python -m tests.updates $(SINCE)

generate: $(VENV)/.dev
	$(VENV)/bin/python -m tests.generated

golden: generate
	$(VENV)/bin/pytest tests/test_golden.py tests/test_docs.py --update-golden -q

bench-deployments: $(VENV)/.dev
	$(VENV)/bin/python -m benchmarks.deployments

bench-sync: $(VENV)/.dev
	$(VENV)/bin/python -m benchmarks.sync

# Against another checkout: make bench-sources BEFORE=FOLDER
bench-sources: $(VENV)/.dev
	$(VENV)/bin/python -m benchmarks.sources $(BEFORE)

# Of all apps, or of some: make bench APPS="django flask"
bench: $(VENV)/.dev
	$(VENV)/bin/python -m benchmarks.recipes $(APPS)

clean:
	rm -rf build dist $(VENV) $(TOOLS) .mypy_cache .pytest_cache .ruff_cache

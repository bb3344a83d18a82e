# Two commands do everything on a fresh machine: `make demo` and `make test`. `make test-all` adds the long tests.
# Needed: Python 3.11 or newer, make; npm, gcc and git for the tests; Go 1.26 if installed, otherwise the lab brings its own.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready
# Tests wait for clusters more than they compute. A lab that is kept between runs is one, so is its worker.
WORKERS ?= $(if $(MESH_TEST_LAB_DIR),0,2)

.PHONY: demo test test-all check format lint types layers bench sim chaos pictures schemas lock clean

# With ISTIO=real, or if real Istio is built: upstream Istio, and requests from cluster to cluster.
demo: $(READY)
	@$(BIN)/python examples/demo.py

PYTEST = $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

test: $(READY)
	@$(PYTEST) -m "not long" $(ARGS)

test-all: $(READY)
	@$(PYTEST) $(ARGS)

check: format lint types layers test-all

format: $(READY)
	@$(BIN)/ruff format --check .

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/python -m tests.support.pipelines

types: $(READY)
	@$(BIN)/mypy

layers: $(READY)
	@$(BIN)/lint-imports --config pyproject.toml
	@$(BIN)/python tests/house/figures.py

bench: $(READY)
	@$(BIN)/python -m bench

# Whole runs in one process, drawn from seeds: SEEDS of them.
SEEDS ?= 20000
sim: $(READY)
	@$(BIN)/python -m tests.sim --seeds $(SEEDS) $(ARGS)

# Disturbed runs on real clusters; RUNS of them are recorded in chaos.jsonl, and none is made twice.
RUNS ?= 300
chaos: $(READY)
	@$(BIN)/python -m tests.chaos --runs $(RUNS) $(ARGS)

# The screenshots of the docs, from real plans of a lab.
pictures: $(READY)
	@$(BIN)/python -m tests.support.pictures

# The JSON Schemas, from the code that reads and writes what they describe.
schemas: $(READY)
	@$(BIN)/python -m mesh.config.decode
	@$(BIN)/python -m mesh.cli.views.plan_schema > schemas/plan.schema.json
	@$(BIN)/python -m mesh.cli.views.saved_schema > schemas/saved-plan.schema.json

# The lock of dependencies: hashes, and no registry's address.
lock: $(READY)
	@$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
	  --no-emit-trusted-host --no-emit-find-links --no-annotate --no-header \
	  --extra dev -o requirements/dev.txt pyproject.toml

$(READY): requirements/dev.txt pyproject.toml
	@echo "setting up $(VENV) …" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

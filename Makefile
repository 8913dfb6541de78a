# make demo   environment, sample company, build, summary, and the app
# make run    the same without serving
# make test   all tests          make check   lint, types, SQL style
# make bench  measurements       make serve   the app for DEMO
# make crash  kill the steps of a close at random moments; CRASHES=200

DEMO ?= demo
PORT ?= 8501
# Size of the deliveries that `make bench` measures; 1 is 100 million rows.
SCALE ?= 1
# How many kills; ARGS="SEED" draws the moments of an earlier run again.
CRASHES ?= 200
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The first Python on the machine that is 3.11 or 3.12; PYTHON=... names another.
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)

export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1
# One interpreter and one index of packages, whatever the machine is set up for otherwise.
export UV_PYTHON_DOWNLOADS := never

.PHONY: demo run serve test check format bench crash lock clean environment focus-validator

demo: run serve

run: $(READY)
	@test -f $(DEMO)/apportion.yml || $(BIN)/apportion init $(DEMO) --template sample
	@$(BIN)/apportion run --workspace $(DEMO)

serve: $(READY)
	@$(BIN)/apportion serve --workspace $(DEMO) --port $(PORT)

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadscope $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint dbt_project --processes 2

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix dbt_project

bench: $(READY)
	$(BIN)/python -m tests.bench.bench_deliveries $(SCALE)
	$(BIN)/python -m tests.bench.bench_sample
	$(BIN)/python -m tests.bench.bench_allocation
	$(BIN)/python -m tests.bench.bench_splits
	$(BIN)/python -m tests.bench.bench_periods
	$(BIN)/python -m tests.bench.bench_statements
	$(BIN)/python -m tests.bench.bench_verify

crash: $(READY)
	$(BIN)/python -m tests.crash $(CRASHES) $(ARGS)

environment: $(READY)

# The public validator of FOCUS, for the tests that ask it; it has an environment of its own.
focus-validator: $(READY)
	@.ci/install-focus-validator

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed and was not found; name one with PYTHON=..."; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@# uv is quick, and does not read what pip is set up for in a file: then pip installs.
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# Resolve the dependencies of pyproject.toml anew, with hashes and without addresses.
lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --extra dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .venv-focus $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# `make` alone lists what there is. Nothing but Python 3.11+ and make is needed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test check format lock migrate openapi bench corpus clean embedded dev

# The first interpreter that is new enough; `make run PYTHON=/path/to/python3` overrides it.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; \
	done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
CORPUS ?= ../shared/corpus
JOBS ?= 2

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

run: embedded ## Serve on http://127.0.0.1:8000 with everything it needs (PORT=…, DATA_DIR=…)
	@$(BIN)/emoji-gallery run --end-with-parent

# Each run has coverage data of its own, so that two at the same time do not mix theirs.
test: dev ## Run every test on servers of its own, with branch coverage
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && COVERAGE_FILE="$$data/coverage" \
		$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=term $(TESTS)

check: dev ## Format, lint, types, import contracts, OpenAPI drift, documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/emoji-gallery openapi --check
	$(BIN)/python -m pytest -q -p no:randomly tests/docs

format: dev ## Put the code into the one format, and repair what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: dev ## Pin the dependencies of pyproject.toml anew, with hashes
	$(call compile,requirements.lock)
	$(call compile,requirements-embedded.lock,--extra embedded)
	$(call compile,requirements-dev.lock,--extra embedded --extra dev)

migrate: embedded ## Bring the database of DATABASE_URL, or of DATA_DIR, to the newest schema
	@$(BIN)/emoji-gallery migrate

openapi: dev ## Write openapi.json from the code
	@$(BIN)/emoji-gallery openapi

bench: dev ## Measure, as ratios within one run
	@$(BIN)/python -m bench

corpus: dev ## Post a corpus of images to a service and judge the answers (CORPUS=folder)
	@$(BIN)/python -m tests.corpus $(CORPUS)

clean: ## Remove what the targets made, but not the data (.data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	rm -f .coverage .coverage.* coverage.xml
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

embedded: $(BIN)/python
	@$(call install,requirements-embedded.lock)

dev: $(BIN)/python
	@$(call install,requirements-dev.lock)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed, and there is none on the path.' \
		'If it is elsewhere: make PYTHON=/path/to/python3 …' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or newer is needed; $(PYTHON) is older.' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo '$(PYTHON) cannot make virtual environments: its venv module is missing' \
		'(on Debian and Ubuntu: apt install python3-venv).' >&2; exit 1; }
	@echo 'Making the virtual environment $(VENV).'
	@$(PYTHON) -m venv --clear $(VENV)

# A copy of the lock that was installed says whether there is anything to do. The project
# itself comes from this folder: no network, no build isolation.
define install
if ! cmp -s $(1) $(VENV)/$(1) || ! cmp -s pyproject.toml $(VENV)/pyproject.toml; then \
	echo 'Installing $(1), once.' && \
	{ $(BIN)/python -c 'import pip' 2>/dev/null || $(BIN)/python -m ensurepip >/dev/null; } && \
	$(PIP) install --quiet --require-hashes -r $(1) && \
	$(PIP) install --quiet --no-deps --no-build-isolation -e . && \
	cp $(1) pyproject.toml $(VENV)/; \
fi
endef

define compile
$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links $(2) pyproject.toml -o $(1)
endef

# The house's targets; `make help` lists them. Set-up is by itself: each target makes what it needs.
SHELL := /bin/bash
PY := .venv/bin/python
PYTEST := $(PY) -m pytest
PYTEST_ARGS ?= -n 3 --dist worksteal --durations 20
ENGINE := images/engine/engine.sh

.PHONY: help setup packages browser engine engine-stop images check lint types contracts pure test demo bench clean
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.done ## make .venv with .venv/bin/refloat in it
.venv/.done: pyproject.toml | packages
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	.venv/bin/pip install --quiet --disable-pip-version-check --editable . --group dev
	$(PY) -m compileall -q runner  # also where PYTHONDONTWRITEBYTECODE is set: reading source takes 0.2 s a command
	touch $@

browser: packages ## install the browser in which the tests look at reports
	@images/packages.sh browser

packages: ## install what is missing for the private engine and its images (as root on Debian or Ubuntu)
	@images/packages.sh

engine: packages ## start the tests' private engine in .engine/
	@$(ENGINE) start

engine-stop: ## stop it; images and volumes stay for the next time
	@$(ENGINE) stop

images: engine ## build what is missing of the lab's images
	@DOCKER_HOST=$$($(ENGINE) host) python3 -m images.build

check: lint types contracts pure ## the fast part: style, types, layers, tests without an engine

lint: setup ## style, and that every shell script parses
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	@grep -lE '^#!/(usr/bin/env |bin/)(ba)?sh' -r images compose .ci | xargs -n 1 bash -n

types: setup ## mypy, strict
	.venv/bin/mypy

contracts: setup ## who may import whom
	.venv/bin/lint-imports

# What fails among other tests on a busy machine is tried once more alone; both runs are shown, the second one counts.
define tested
	@$(PYTEST) $(1) $(2) && exit 0; \
	echo "Some tests failed above. Once more, only those, one at a time:"; \
	$(PYTEST) $(1) -n 0 --last-failed --last-failed-no-failures none
endef

pure: setup ## the tests that need no engine and no network
	$(call tested,tests/pure,-q -n 2 --timeout 300)

# The images come from a mirror while the checks use the processor; what each says is shown whole when it is through.
test: ## everything
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target images check browser
	$(call tested,tests --ignore=tests/pure,$(PYTEST_ARGS))

demo: setup packages ## watch an upgrade succeed, and another one fail and come back
	@compose/demo.sh

bench: setup images ## measure; the numbers go to benchmarks/
	DOCKER_HOST=$$($(ENGINE) host) $(PY) -m benchmarks
	$(PY) -m benchmarks.refresh

clean: engine-stop ## stop the engine and remove all it had, and the caches
	rm -rf .engine .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

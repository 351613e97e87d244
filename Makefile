# The house's targets; `make help` lists them. Set-up is by itself: each target makes what it needs.
SHELL := /bin/bash
PY := .venv/bin/python

.PHONY: help setup
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.done ## make .venv with .venv/bin/refloat in it
.venv/.done: pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	.venv/bin/pip install --quiet --disable-pip-version-check --editable . --group dev
	touch $@

# What there is to type. CONTRIBUTING.md says more.
PYTHON ?= python3
BIN := .venv/bin
SERVER_SETTINGS := --ds=tuning.server.settings

.PHONY: help
help: ## Say what there is to type
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: install ## Install what is missing and start Tuneboard
	@exec $(BIN)/python -m dashboard.launch

.PHONY: install
install:
	@command -v $(PYTHON) >/dev/null || { echo "Tuneboard needs Python 3.11 or newer: install python3 and try again." >&2; exit 1; }
	@$(PYTHON) scripts/install.py

.PHONY: install-dev
install-dev:
	@$(PYTHON) scripts/install.py dev

.PHONY: test
test: ## Run all tests: unit, property, REST, browser and one real tuning job (under 10 minutes)
	@$(PYTHON) scripts/install.py dev chromium
	@$(BIN)/python scripts/test.py "not kill"

.PHONY: test-kill
test-kill: install-dev ## Kill processes at random, hundreds of times
	@$(BIN)/python scripts/test.py kill

.PHONY: lint
lint: install-dev ## Check style, types, imports, templates, migrations and production settings
	@$(BIN)/python scripts/lint.py

.PHONY: bench
bench: install-dev ## Measure the start and the memory of the processes
	@$(BIN)/python benchmarks/start.py

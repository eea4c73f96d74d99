# What there is to type. CONTRIBUTING.md says more.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help
help: ## Say what there is to type
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

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
test: ## Run all tests: unit, property, REST, browser and one real tuning job (some 26 minutes on two cores)
	@$(PYTHON) scripts/install.py dev chromium
	@$(BIN)/python scripts/run_tests.py "not kill"

.PHONY: test-kill
test-kill: install-dev ## Kill processes while they work; nothing may be lost
	@$(BIN)/python scripts/run_tests.py kill

.PHONY: conformance
conformance: install-dev ## Try Google's own clients against the tuning server; prints client by method
	@$(BIN)/pytest tests/conformance

CHECKS := lint-style lint-imports lint-types lint-templates lint-migrations lint-production
.PHONY: lint $(CHECKS)
lint: $(CHECKS) ## Check style, imports, types, templates, migrations and production settings
$(CHECKS): export VAR_DIR := .cache/lint
$(CHECKS): install-dev

lint-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-imports:
	$(BIN)/lint-imports

lint-types:
	$(BIN)/mypy
	$(BIN)/mypy --config-file tuning/server/mypy.ini

lint-templates:
	$(BIN)/djade --target-version 5.2 --check $$(find templates -name '*.html')
	$(BIN)/djlint --lint --quiet templates

lint-migrations:
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tuning.server makemigrations --check --dry-run

PRODUCTION := LOCAL=false ALLOWED_HOSTS=tuneboard.example.com \
	SECRET_KEY=only-for-this-check-0123456789-abcdefghijklmnopqrstuvwxyz
lint-production:
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(PRODUCTION) $(BIN)/python -m tuning.server check --deploy --fail-level WARNING

.PHONY: bench
bench: install-dev ## Measure start, memory, the API, pages, answers against llama.cpp, and tuning against TRL (40 minutes)
	@$(BIN)/python benchmarks/start.py
	@$(BIN)/python benchmarks/api.py
	@$(BIN)/python benchmarks/web.py
	@$(BIN)/python benchmarks/first_snapshot.py
	@$(BIN)/python benchmarks/cancel.py
	@$(BIN)/python benchmarks/large.py
	@$(BIN)/python benchmarks/generate.py
	@$(BIN)/python benchmarks/tune.py

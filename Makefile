# Each target installs what it needs first (installer/bootstrap; nothing to do the second time).
PY := .venv/bin/python
export QT_API := pyside6
SABOTAGE ?=

.PHONY: help install run test check bench faults shots fresh docs lock clean
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 20

install: ## the virtual environment and what Qt needs
	@installer/bootstrap

run: install ## the demo plant: in a window, or (no display) the scripted shift; SABOTAGE=drop|double|tamper must fail
	@$(PY) -m foodflow_desktop.demo $(if $(SABOTAGE),--sabotage $(SABOTAGE))

test: install ## the whole suite, with coverage
	@$(PY) -m tests.run

check: install ## format, lint, types, import rules, generated docs
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m server.docgen --check
	@$(PY) -m tests.ledger --check

docs: install ## write docs/generated
	@$(PY) -m server.docgen
	@$(PY) -m tests.ledger

bench: install ## figures beside their floors, to docs/benchmarks.md
	@$(PY) -m tests.bench

faults: install ## long fault, fuzz and load suites
	@$(PY) -m pytest -m faults tests

shots: install ## every screen beside its mockup, to .shots
	@QT_QPA_PLATFORM=offscreen $(PY) -m tests.shots

fresh: ## README's two commands in a bare debootstrap root (root, debootstrap)
	@installer/fresh

lock: ## renew requirements/dev.txt (maintainers; needs uv)
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	  --no-annotate --no-header requirements/dev.in -o requirements/dev.txt

clean:
	rm -rf .venv .run .shots .mypy_cache .ruff_cache .coverage*

# Every target works from a bare checkout: it makes .venv first. `make doctor` says what this machine lacks.
# PYTHON=/path/to/python chooses another Python than the one found first.

.PHONY: run test bench chaos doctor lint types setup setup-dev
.NOTPARALLEL:
.SILENT:

# Text is UTF-8 whatever the locale, or none at all.
export PYTHONUTF8 := 1
PYTHON ?=
VENV := .venv/bin/python

# The first Python from 3.11 on that works; 3.11 and 3.12 come first because a Redis package exists for them.
define make_environment
for python in $(VENV) $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		exec $$python portal/engines/environment.py $(1); \
	fi; \
done; \
echo "Python 3.11 or newer is needed and was not found: install it (Debian, Ubuntu: apt install python3 python3-venv), or say PYTHON=/path/to/python."; \
exit 1
endef

run: setup
	exec $(VENV) -m portal.supervisor

test: setup-dev
	exec $(VENV) -m pytest -n 4 --dist loadgroup

bench: setup-dev
	exec $(VENV) -m bench

chaos: setup-dev
	exec $(VENV) -m tests.chaos

lint: setup-dev
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	.venv/bin/lint-imports

types: setup-dev
	exec $(VENV) -m mypy .

setup:
	$(call make_environment,requirements.txt)

setup-dev:
	$(call make_environment,requirements-dev.txt)

doctor:
	for python in $(VENV) $(PYTHON) python3 python3.11 python3.12 python3.13 python; do \
		if $$python -c '' >/dev/null 2>&1; then exec $$python portal/engines/doctor.py; fi; \
	done; \
	echo "No Python was found: install Python 3.11 or newer (Debian, Ubuntu: apt install python3 python3-venv)."; \
	exit 1

# `make demo` and `make test` set up what they need; VENV=… puts the environment elsewhere.
VENV ?= .venv
PY = $(VENV)/bin/python
RUN_DIR ?= outputs/demo

.PHONY: setup demo test test-service check fit clean

setup: $(VENV)/.ready
$(VENV)/.ready: pyproject.toml constraints.txt
	python3 -m venv $(VENV)
	$(PY) -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

demo: setup
	rm -rf $(RUN_DIR)
	$(VENV)/bin/falsereject-gen run --target 220 --out $(RUN_DIR)

test: setup
	$(PY) -m pytest -m 'not live and not service'
	@echo "left out: tests with services of their own (make test-service: Label Studio, Argilla, Chromium)"

# Label Studio and Argilla go into environments of their own; FRG_LABEL_STUDIO and FRG_ARGILLA keep them.
test-service: setup
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium; } \
		|| echo "no Chromium: install it, or the tests of the pages are skipped"
	$(PY) -m pytest -m service

check: setup
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

fit: setup
	$(PY) -m falsereject_gen.roles.embedded.fit graphs/judge.json

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache

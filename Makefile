# make run    the app on http://127.0.0.1:7860
# make test   lint, types and every test
# make demo   the whole way on the command line: the sample chat, a dataset, a fine-tune, an exam, a conversation

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: run test demo lint browser clean

run: .venv/app
	$(BIN)/python app.py

demo: .venv/app
	$(BIN)/python -m pipeline demo

test: .venv/tests lint browser
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: .venv/tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Chromium drives the browser tests; where there is none and none can be had, those tests skip and say so.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-color-emoji fonts-noto-core >/dev/null; } || \
	  echo "No Chromium here and none could be installed: the browser tests will be skipped."

.venv/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Chat Twin needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet uv
	@touch $@

.venv/app: requirements.txt .venv/uv
	$(UV) -r requirements.txt
	@touch $@

.venv/tests: tests/requirements.txt .venv/app
	$(UV) -r tests/requirements.txt
	@touch $@

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

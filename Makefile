# make run    the app on http://127.0.0.1:7860
# make test   lint, types and every test
# make check  lint, types and the fast tests: what to run before a commit
# make fix    what ruff can put right by itself
# make demo   the whole way on the command line: the sample chat, a dataset, a fine-tune, an exam, a conversation
# make lock   requirements.lock anew, after a change of requirements.txt; LOCK=--upgrade takes what is newest
# make newest the tests with today's newest of every package, in an environment of its own

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: run test check fix demo lint browser lock newest clean

run: .venv/app
	$(BIN)/python app.py

demo: .venv/app
	$(BIN)/python -m pipeline demo

test: .venv/tests lint browser
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: .venv/tests lint
	$(BIN)/python -m pytest -n 2 --dist worksteal -q -m "not slow and not browser"

fix: .venv/tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

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

# What is installed is what the lock holds; requirements.txt alone says what the app can live with.
.venv/app: requirements.txt requirements.lock .venv/uv
	$(UV) -r requirements.txt -c requirements.lock
	@touch $@

.venv/tests: tests/requirements.txt .venv/app
	$(UV) -r tests/requirements.txt -c requirements.lock
	@touch $@

lock: .venv/uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --custom-compile-command "make lock" $(LOCK) \
	  requirements.txt tests/requirements.txt -o requirements.lock

newest: .venv/uv browser
	$(BIN)/uv venv --quiet --clear --seed --python $(BIN)/python .venv-newest
	sed -E 's/ *[<>=!~#].*//' requirements.txt tests/requirements.txt > .venv-newest/newest.txt
	$(BIN)/uv pip install --quiet --upgrade --python .venv-newest/bin/python -r .venv-newest/newest.txt
	@echo "Newer than requirements.lock:"
	@$(BIN)/uv pip freeze --python .venv-newest/bin/python | grep -vxFf requirements.lock || echo "nothing"
	.venv-newest/bin/python -m pytest -n 2 --dist worksteal -q

clean:
	rm -rf .venv .venv-newest .pytest_cache .mypy_cache .ruff_cache .hypothesis

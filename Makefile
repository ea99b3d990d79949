# parity · study · test · bench · soak · speed · lint · types: each makes .venv on first use, then does its one thing. GNU make 3.81 and newer.
#
#   make parity ARGS="--model shallow_network"      make test PYTEST_ARGS="-k oracle" WORKERS=0      make PYTHON=python3.12 test

ARGS        ?=
PYTEST_ARGS ?=
WORKERS     ?= auto
PYTHON      ?=

BIN         := .venv/bin
STAMP       := .venv/installed
CANDIDATES  := $(if $(PYTHON),$(PYTHON),python3 python3.11 python3.12 python3.13 python3.14)
FIT         := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
INSTALL     := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -qq --constraint constraints.txt

.PHONY: parity study test bench soak speed lint types clean

parity: $(STAMP)
	@$(BIN)/parity $(ARGS)

study: $(STAMP)
	@$(BIN)/parity study $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal $(PYTEST_ARGS)

bench: $(STAMP)
	@$(BIN)/parity bench $(ARGS)

soak: $(STAMP)
	@$(BIN)/python -m tests.soak $(ARGS)

speed: $(STAMP)
	@$(BIN)/python -m tests.training_speed

lint: $(STAMP)
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .

types: $(STAMP)
	@$(BIN)/python -m mypy

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp holds the folder it was made in: a moved checkout, or a Python that is gone, makes .venv anew.
ifneq ($(shell test -x $(BIN)/python && cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

$(STAMP): pyproject.toml constraints.txt
	@if test -e $(STAMP) && test "$$(cat $(STAMP))" != "$(CURDIR)"; then rm -rf .venv; fi; rm -f $(STAMP)
	@if ! $(BIN)/python -c 'import pip; $(FIT)' 2>/dev/null; then \
	    for python in $(CANDIDATES) ''; do \
	        if test -z "$$python" || "$$python" -c '$(FIT)' 2>/dev/null; then break; fi; \
	    done; \
	    if test -z "$$python"; then \
	        echo "no Python 3.11 or newer with venv among: $(CANDIDATES). Install one, or name it: make PYTHON=…" >&2; \
	        exit 2; \
	    fi; \
	    rm -rf .venv && "$$python" -m venv .venv; \
	fi
	@echo "installing into .venv, once: a minute or more" >&2
	@$(INSTALL) setuptools
	@$(INSTALL) --no-build-isolation --editable '.[all,dev]'
	@printf '%s' "$(CURDIR)" > $(STAMP)

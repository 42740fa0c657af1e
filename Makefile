# make demo   deblurs the shipped night photo         make test   the whole test suite
# make lint   style, types, import direction          make bench  measured figures (DATA=folder with the benchmark sets)
# make docs   redraws every picture of the documentation   make bench-docs  docs/benchmarks.md from the stored figures

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATA ?= $(NIGHTSHARP_DATA)
OUT ?= bench-out

.PHONY: demo test lint bench bench-docs docs clean

demo: $(READY)
	$(BIN)/python examples/demo.py

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA)) --out $(OUT) $(if $(STORE),--store)

bench-docs: $(READY)
	$(BIN)/python -m benchmarks.docs

docs: $(READY)
	$(BIN)/python docs/make_pictures.py

# constraints.txt pins what is tested; it also keeps pip from fetching a CUDA build of torch
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nightsharp needs Python 3.11 or later; set PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,raw,heif,train,export,downstream]'
	touch $(READY)

clean:
	rm -rf $(VENV) demo-out bench-out build dist

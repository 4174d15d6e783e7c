# Developer interface. CI calls the same targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

$(STAMP): requirements-dev.lock pyproject.toml
	@echo "making the virtual environment (.venv)"
	@python3 -c 'import ensurepip' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv; }
	@test -x $(PY) || python3 -m venv $(VENV)
	@$(PY) -m pip install -q --require-hashes -r requirements-dev.lock
	@$(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: venv
venv: $(STAMP) ## Make the virtual environment from the lock file

.PHONY: check
check: $(STAMP) ## All static checks: format, lint, types, layers, CRDs up to date
	$(VENV)/bin/ruff format --check operator sandbox tests bench
	$(VENV)/bin/ruff check operator sandbox tests bench
	$(VENV)/bin/mypy operator/slurmjob_operator sandbox/sandboxlib sandbox/demo.py tests/run.py tests/lanes.py tests/real tests/fakes tests/faults tests/model tests/contract bench tests/openapi tests/sbatch_help tests/slurm_errors tests/slurm_reasons tests/traps tests/fuzz
	$(VENV)/bin/lint-imports --no-cache
	@$(PY) -m slurmjob_operator.api.crds $(VENV)/crds && diff -r $(VENV)/crds crds || { echo "crds/ is stale: run make crds"; exit 1; }

.PHONY: crds
crds: $(STAMP) ## Generate crds/ from the models
	$(PY) -m slurmjob_operator.api.crds crds

.PHONY: docs
docs: $(STAMP) ## Generate the pages of docs/ that are made from tests and from the table of options
	PYTHONPATH=sandbox $(PY) -m tests.real.releases docs/releases.md
	$(PY) -m slurmjob_operator.edge.offline.options_page docs/reference/options.md
	$(PY) -m slurmjob_operator.edge.offline.errors_page docs/reference/errors.md
	$(PY) -m slurmjob_operator.edge.offline.pending_page docs/reference/pending.md

.PHONY: test-unit
test-unit: $(STAMP) ## Unit tests and the model: a minute at most
	$(PY) -m pytest tests/unit tests/model -q -n auto

.PHONY: test
test: $(STAMP) ## Every test, on three Slurms side by side (20 minutes on 2 cores); brings up what it needs and cleans up
	@$(PY) tests/run.py

.PHONY: test-faults
test-faults: $(STAMP) ## The fault runs alone, the long ones too: outages of every daemon, more kills, a second slurmctld
	@$(PY) tests/run.py --faults

.PHONY: test-differential
test-differential: $(STAMP) ## All scripts by the real sbatch and by us, on all three Slurms (5 minutes; result in tests/differential/RESULTS.md)
	@$(PY) tests/run.py --differential

.PHONY: check-openapi
check-openapi: $(STAMP) ## Committed OpenAPI documents against those that the three slurmrestd serve now
	@sandbox/sandbox up --slurm bookworm --slurm trixie --slurm forky
	@PYTHONPATH=sandbox $(PY) -m tests.openapi.compare

.PHONY: check-options
check-options: $(STAMP) ## Committed `sbatch --help`, `--usage` and options against what the three sbatch say now
	@sandbox/sandbox up --slurm bookworm --slurm trixie --slurm forky
	@PYTHONPATH=sandbox $(PY) -m tests.sbatch_help.compare

.PHONY: check-errors
check-errors: $(STAMP) ## Committed error numbers against those that the libraries of the three Slurms know now
	@sandbox/sandbox up --slurm bookworm --slurm trixie --slurm forky
	@PYTHONPATH=sandbox $(PY) -m tests.slurm_errors.compare

.PHONY: check-reasons
check-reasons: $(STAMP) ## Committed reasons of waiting jobs against those that the libraries of the three Slurms know now
	@sandbox/sandbox up --slurm bookworm --slurm trixie --slurm forky
	@PYTHONPATH=sandbox $(PY) -m tests.slurm_reasons.compare

.PHONY: bench-following
bench-following: $(STAMP) ## What following jobs costs on a slurmrestd without jobs/state (5 minutes; result in bench/)
	PYTHONPATH=sandbox $(PY) -m bench.following

.PHONY: bench-overhead
bench-overhead: $(STAMP) ## What a request of ours costs beside one of bare httpx (1 minute; result in bench/)
	PYTHONPATH=sandbox $(PY) -m bench.overhead

.PHONY: bench-arrays
bench-arrays: $(STAMP) ## What following arrays of jobs costs beside one job (2 minutes; result in bench/)
	PYTHONPATH=sandbox $(PY) -m bench.arrays

.PHONY: bench-outage
bench-outage: $(STAMP) ## Requests in ten minutes without Slurm, with a thousand live jobs (an hour; result in bench/)
	PYTHONPATH=sandbox $(PY) -m bench.outage

$(VENV)/.fuzzer: requirements-fuzz.lock $(STAMP)
	@$(PY) -m pip install -q --require-hashes -r requirements-fuzz.lock
	@touch $@

.PHONY: fuzz
fuzz: $(VENV)/.fuzzer ## Fuzz the directive parser, the value types and answers of slurmrestd, ten minutes each (FUZZ_SECONDS; result in bench/fuzz.md)
	PYTHONPATH=operator:sandbox:. $(PY) -m tests.fuzz.run

.PHONY: bench-directives
bench-directives: $(STAMP) ## How many lines of directives are read in a CPU second (result in bench/)
	PYTHONPATH=sandbox $(PY) -m bench.directives

.PHONY: demo
demo: $(STAMP) ## The story in one run: real Kubernetes, real Slurm, five SlurmJobs (KEEP=1 leaves it running)
	@python3 sandbox/demo.py

.PHONY: sandbox-down
sandbox-down: ## Stop the sandbox and forget its state
	@sandbox/sandbox down --purge

.PHONY: lock
lock: $(STAMP) ## Renew the lock files (hashes, no download addresses)
	$(PY) -m pip install -q uv
	$(VENV)/bin/uv pip compile -q --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --universal pyproject.toml -o requirements.lock
	$(VENV)/bin/uv pip compile -q --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --universal pyproject.toml --group dev -o requirements-dev.lock
	$(VENV)/bin/uv pip compile -q --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --python-platform x86_64-manylinux_2_28 --only-binary :all: --group fuzz -o requirements-fuzz.lock

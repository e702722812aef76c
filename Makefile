# netmedic.calico: `make help` lists the targets. Everything here is a short call of a program under scripts/ or lab/.

# A Python which ansible-core of requirements-dev.txt runs on; another one: make … PYTHON=/path/to/python3.12
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 /usr/bin/python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && \
	command -v $$python && break; done)

run = $(if $(PYTHON),exec $(PYTHON) -B,@echo "No Python 3.11, 3.12 or 3.13 was found. On Debian 12: apt-get install \
	python3 python3-venv" >&2; exit 2;) -m

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup diagnose analyze test lint unit kernel sanity integration molecule faults lab-up lab-down lab-heal lab-status bench matrix chaos fuzz \
	docs site clean

# What `make diagnose` and the lab are told; see `make help`.
export BUNDLE FAULT INVENTORY REPORT_DIR NODES TOPOLOGY NODE VARIANT KEEP_LAB ARGS PYTHON FUZZ_SECONDS

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2} /^#: / {print substr($$0, 4)}' $(MAKEFILE_LIST)

setup: ## Prepare this machine: virtual environment, packages, the lab's image
	@$(run) scripts.setup

diagnose: ## Diagnose the embedded lab, or your own nodes with INVENTORY=hosts.yml
	@$(run) scripts.diagnose

analyze: ## Find the causes in an evidence bundle: BUNDLE=directory-or-archive
	@$(run) scripts.analyze

test: ## Set up and run every check; the last line counts the tests
	@$(run) scripts.check

lint: ## Only form, lint, types and documentation
	@$(run) scripts.check format ruff mypy yamllint ansible-lint changelog plugin-docs docs site

unit: ## Only the unit tests, on every Python at hand
	@$(run) scripts.check unit every-python

kernel: ## Only the tests against the real programs in namespaces
	@$(run) scripts.check kernel

sanity: ## Only ansible-test sanity, on every Python; `make test` imports on some
	@$(run) scripts.check every-sanity

integration: ## Only ansible-test integration
	@$(run) scripts.check integration

molecule: ## Only molecule on the lab, every role; `make test` tries some
	@$(run) scripts.check every-molecule

faults: ## Every fault and repair in the lab in every way, an hour or two; `make test` tries some
	@$(run) scripts.check faults

lab-up: ## Start the lab and leave it up; NODES=4, TOPOLOGY=one_subnet
	@$(PYTHON) -B -m scripts.setup
	@$(run) lab up $(if $(NODES),--nodes $(NODES)) $(if $(TOPOLOGY),--topology $(TOPOLOGY))

lab-down: ## Take the lab down
	@$(run) lab down

lab-heal: ## Undo all faults in the lab that is up
	@$(run) lab heal

lab-status: ## Show the lab's nodes, sessions and active faults
	@$(run) lab status

bench: ## Measure speed and size; writes build/bench.json
	@$(PYTHON) -B -m scripts.setup
	@exec .venv/bin/python -m bench

matrix: ## Make every fault in the lab, an hour or more; ROWS='as_mismatch' only some, ARGS=--list names them
	@$(PYTHON) -B -m scripts.setup
	@exec .venv/bin/python -B -m matrix $(ROWS) $(ARGS)

chaos: ## Repair every fault in the lab while something goes wrong, hours; RUNS=200, ARGS='--seed 7' or words of the runs' names
	@$(PYTHON) -B -m scripts.setup
	@exec .venv/bin/python -B -m chaos --runs $(or $(RUNS),200) $(ARGS)

fuzz: ## Look for inputs that break a parser; FUZZ_SECONDS=360, PARSERS='ipset evidence'
	@$(PYTHON) -B -m scripts.setup
	@exec .venv/bin/python -B -m fuzz $(PARSERS)

docs: ## Write again what is generated: fault pages, README table, role choices, reliability table, policies
	@$(PYTHON) -B -m scripts.setup
	@.venv/bin/python -m scripts.fault_pages
	@.venv/bin/python -m scripts.policies
	@exec .venv/bin/python -m scripts.reliability

site: ## The documentation as a web site, with every plugin's and role's options: build/site/html
	@$(PYTHON) -B -m scripts.check site

clean: ## Remove everything that make has made here, and the lab
	@$(run) scripts.clean

#:
#: Variables of make analyze:
#:   BUNDLE=path       directory, archive or text to analyse; several are parted by blanks
#:   REPORT_DIR=path   where <bundle name>/report.json goes (default report); ARGS as below
#:
#: Variables of make diagnose:
#:   FAULT=id          break the lab first, for instance FAULT=tcp179_blocked_host_firewall
#:   NODE=node-2       break it there (default: where the fault tells most); VARIANT=name the way it comes about:
#:                     .venv/bin/python -m lab faults lists both
#:   INVENTORY=path    diagnose your own nodes; starts no lab, breaks nothing
#:   REPORT_DIR=path   where report.json goes (default report)
#:   NODES=n           number of lab nodes (default 4)
#:   TOPOLOGY=name     shape of the lab: one_subnet (default), two_subnets, route_reflectors, external_router,
#:                     dual_stack, vxlan, canal; where FAULT needs one, that is the default
#:   KEEP_LAB=1        leave the lab up, with its fault, for a look around
#:   ARGS='…'          more arguments for ansible-playbook, for instance ARGS='-v'

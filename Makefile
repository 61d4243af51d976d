# SPDX-License-Identifier: Apache-2.0
# The front door: meson and ninja build, tools/* does the rest. `make help` lists the targets.

CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
FLAVOUR := $(if $(findstring clang,$(CC)),clang,gcc)
PREFIX ?= /usr/local
export CC PROFILES RUN REPORT GWAPI_VERSION USABLE_ADDRESS UNUSABLE_ADDRESS

all: ## fetch what is missing and build build/heddle (CC=clang: with clang)
	@tools/deps build
	@tools/build $(FLAVOUR)
	@ln -sfn $(FLAVOUR)/heddle build/heddle

deps: ## fetch and install everything that building and testing need
	@tools/deps all

demo: all ## run the demo: a mesh on this machine, without root (DEMO=list: what else there is)
	@tools/deps test
	@demo/run

test: all ## run all tests that need no cluster
	@tools/deps test
	@tools/run-tests

images: all ## build build/images/*.tar, without a daemon or a registry
	@tools/deps images
	@tools/make-image

chart: ## make the Helm chart build/chart
	@tools/make-chart

deploy: ## install heddle into the cluster of the current kubeconfig (DEPLOY=FOLDER: a variant)
	@tools/deploy up $(DEPLOY)

undeploy: ## take heddle away from that cluster, and all that it made there
	@tools/deploy down

conformance: ## run Gateway API's official suite against that cluster (PROFILES=, RUN=, REPORT=)
	@tests/conformance/run

bench: all ## measure convergence, CPU, memory and bytes
	@tools/deps test
	@bench/run
	@bench/gateway

bench-cluster: all ## the same on the API server of the current kubeconfig
	@tools/deps test
	@bench/cluster

fuzz: ## fuzz every target for FUZZ_SECONDS (default 60)
	@tools/deps test
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-60} FUZZ_SEED=0 tests/fuzz/run

lint: all ## check layers, sizes, style, format and generated docs
	@tools/deps test
	@tools/lint

tidy: ## run clang-tidy over the sources (slow)
	@tools/deps test
	@tools/build clang >/dev/null
	@ls src/*/*.c | xargs -P2 -n4 clang-tidy-14 -p build/clang --quiet

format: ## format the C sources
	@tools/deps test
	@tools/check-style --fix

clean: ## remove build/ (not the cache of tools/env)
	rm -rf build

install: all ## install heddle below PREFIX (default /usr/local), honours DESTDIR
	install -D -m 755 build/heddle $(DESTDIR)$(PREFIX)/bin/heddle

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

.DEFAULT_GOAL := all
.PHONY: all deps demo test images chart deploy undeploy conformance bench bench-cluster fuzz lint tidy format clean install help

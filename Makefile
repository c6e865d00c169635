# Few verbs, the same everywhere. `make check` is what a change must pass; .ci/run does
# the same and more on a fresh machine.

GO            ?= go
GOLANGCI      := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
BENCH         ?= .
RACE_PACKAGES := ./engine/... ./device/... ./operator/... ./connector/... ./stream/... ./state/... ./job/... ./internal/... ./test/lifecycle ./test/random

.PHONY: all build demo test check lint race fuzz oclgrind gpu-bundle mutants bench generate

all: build

build: ## the binary, in the current folder
	CGO_ENABLED=0 $(GO) build -o millrace ./cmd/millrace

demo: build ## one query over a small recording
	./millrace run examples/demo/demo.sql

test: ## all tests
	$(GO) test ./...

check: ## format, vet, lint, tests, race detector
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	@$(MAKE) --no-print-directory lint
	CGO_ENABLED=0 $(GO) build ./...
	$(GO) test ./...
	@$(MAKE) --no-print-directory race

lint: ## golangci-lint if it is installed; go install it with the line shown
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; \
	else echo "golangci-lint is not installed and was not run; install it with: $(GO) install $(GOLANGCI)"; fi

race: ## the concurrent packages under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short $(RACE_PACKAGES)

fuzz: ## ten seconds of every fuzz target
	.ci/fuzz 10s

oclgrind: ## the kernels' small tests in oclgrind, which must find nothing (minutes; needs oclgrind)
	.ci/oclgrind

gpu-bundle: ## a folder that tests and measures on a machine with a GPU and nothing else
	.ci/gpu-bundle

mutants: ## plants bugs in the engine; the random queries must notice each (minutes)
	$(GO) run ./test/mutant

bench: ## micro-benchmarks; BENCH=pattern picks
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

generate: ## what is generated and checked in
	$(GO) generate ./...

.DEFAULT_GOAL := help
.PHONY: help check test race stress fuzz bench bench-quick laws parity lint rename

# How often a stress test runs, and how long each fuzz test.
COUNT ?= 20
FUZZTIME ?= 10s

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: ## everything CI checks, on a clean clone of HEAD
	bash .ci/run

test: ## all tests
	go test work

race: ## all tests in random order under the race detector
	go test -race -shuffle=on work

stress: ## the stress tests, COUNT=20 times each under the race detector
	go test -race -run Stress -count=$(COUNT) -timeout=1h ./actor/... ./internal/...

fuzz: ## each fuzz test for FUZZTIME=10s
	@set -e; for pkg in $$(go list ./...); do \
		for fuzz in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$fuzz"; \
			go test -run '^$$' -fuzz "^$$fuzz\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

bench: ## all benchmarks, into docs/performance.md; wants a quiet machine (BENCH: other flags)
	cd benchmarks && go run ./cmd/bench $(or $(BENCH),-write ../docs)

bench-quick: ## the most important benchmarks beside channels, within a minute (BENCH: more flags)
	cd benchmarks && go run ./cmd/bench -quick $(BENCH)

laws: ## break each law in a copy, and check that its tests fail (LAW=S3: only that one)
	go test -v -count=1 -timeout=1h -run 'TestLaws' -break '$(or $(LAW),.)' .

parity: ## the cases of OTP's supervisor suite that mean something here: prints N of N
	go test -v -count=1 -run '^TestParity$$' .

lint: ## the linter that tools/go.mod pins; to build it takes minutes, once
	cd tools && GOWORK=off go build -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./... ./benchmarks/...

rename: ## give the module another path: MODULE=example.com/you/tinyactor
	cd tools && GOWORK=off go run ./rename '$(MODULE)'

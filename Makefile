.DEFAULT_GOAL := help
.PHONY: help check test race stress fuzz bench bench-quick laws parity model linear mutants faults cluster-faults soak screenshots lint rename

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

model: ## the real code in every order of its steps, 20 million schedules or more (MODEL: other flags)
	go run ./tests/cmd/model $(or $(MODEL),-least 20000000)

linear: ## N=1000000 histories of the mailbox, checked for linearizability
	go run -tags perturb ./tests/cmd/linear -n $(or $(N),1000000)
	go run ./tests/cmd/linear -n $$(( $(or $(N),1000000) / 4 ))

mutants: ## named bugs that the tests must find, into docs/mutants.md
	go run ./tests/cmd/mutants -write docs/mutants.md

faults: ## N=100000 random programs of everything, under random faults
	go test -v -count=1 -timeout=2h -run '^TestFaults$$' ./tests/faults -faults.n $(or $(N),100000)

cluster-faults: ## nodes as processes that are killed, frozen, drained and cut off: N=7 rounds, LEADERS=20 leaders
	go test -v -count=1 -timeout=1h ./cluster/embedded -run '^TestFaults' -faults.n=$(or $(N),7) -faults.leaders=$(or $(LEADERS),20)

soak: ## everything at once for T=60s, on real time
	GOEXPERIMENT=goroutineleakprofile go run ./tests/cmd/soak -t $(or $(T),60s)

screenshots: ## the observer's page in Chromium, into docs/images
	go run -trimpath ./tests/browser/cmd/screenshots

lint: ## the linter that tools/go.mod pins; to build it takes minutes, once
	cd tools && GOWORK=off go build -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run $$(go list -m -f '{{.Dir}}/...')
	bin/golangci-lint run --build-tags modelcheck ./internal/sched/...

rename: ## give the module another path: MODULE=example.com/you/tinyactor
	cd tools && GOWORK=off go run ./rename '$(MODULE)'

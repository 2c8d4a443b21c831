.DEFAULT_GOAL := help
.PHONY: help check test race

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: ## everything CI checks, on a clean clone of HEAD
	bash .ci/run

test: ## all tests
	go test work

race: ## all tests in random order under the race detector
	go test -race -shuffle=on work

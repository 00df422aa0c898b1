# `make run` and `make test` work on a fresh Debian 12 with Rust, Node 20 and make: they install what is missing.
# ARGS reach the program: make run ARGS="--data /tmp/journal".

.PHONY: help run test check bench soak bindings fmt clean
.DEFAULT_GOAL := help

help: ## says what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## sets up, builds and opens the window (with no display: runs the demo)
	@bash scripts/run.sh $(ARGS)

test: ## sets up, checks, and runs every test
	@bash scripts/test.sh

check: ## the quick half: format, lints, types, licences, unit tests
	@bash scripts/check.sh

bench: ## measures the release build beside others: start, OTLP, X-Ray, live lists, fetching
	@bash scripts/bench.sh bench $(ARGS)

soak: ## half of what it can take, for ARGS="--minutes 30": memory, lists, disk, window
	@bash scripts/bench.sh soak $(ARGS)

bindings: ## writes ui/src/bindings.ts from the commands' Rust types
	@TRACEBOOK_WRITE_BINDINGS=1 cargo test --workspace --locked --lib bindings

fmt: ## formats Rust and the UI
	@bash scripts/setup.sh run
	@cargo fmt --all
	@npm run format --prefix ui --silent

clean: ## removes what was built and what set-up remembers; system packages stay
	@rm -rf target ui/dist ui/node_modules tests/node-service/node_modules .setup

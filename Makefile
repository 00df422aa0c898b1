# `make run` and `make test` work on a fresh Debian 12 with Rust, Node 20 and make: they install what is missing.
# ARGS reach the program: make run ARGS="--data /tmp/journal".

.PHONY: help run dev dev-window test check crash sync-rounds attack fuzz bench soak bindings recordings fmt clean
.DEFAULT_GOAL := help
ROUNDS ?= 200
MINUTES ?= 10

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## set up, build and open the window (without a display: run the demo)
	@bash scripts/run.sh $(ARGS)

dev: ## the UI with hot reload in a browser, against a `tracebook serve`
	@bash scripts/dev.sh serve $(ARGS)

dev-window: ## the UI with hot reload in the window
	@bash scripts/dev.sh window $(ARGS)

test: ## set up, check, and run every test
	@bash scripts/test.sh

check: ## the quick half: format, lints, types, licences, unit tests
	@bash scripts/check.sh

crash: ## kill the program while it writes, ROUNDS times (200 by default), and look for losses
	@TRACEBOOK_CRASH_ROUNDS=$(ROUNDS) cargo test --workspace --locked --test journeys -- crash:: --nocapture

sync-rounds: ## two journals sync at random and are killed, ROUNDS times (200 by default); look for losses
	@TRACEBOOK_SYNC_ROUNDS=$(ROUNDS) cargo test --workspace --locked --test journeys -- sync_rounds:: --nocapture

attack: ## attack the release build: memory, disk, files, pages, bridges, clock (ONLY=bombs,disk selects)
	@ONLY="$(ONLY)" bash scripts/attack.sh $(ARGS)

fuzz: ## feed every parser for MINUTES in total, guided by coverage (TARGET=markdown,card selects)
	@python3 scripts/fuzz.py --minutes $(MINUTES) --target "$(TARGET)" $(ARGS)

bench: ## measure the release build beside others: start, OTLP, X-Ray, live lists, freezing, publishing, fetching, typing
	@bash scripts/bench.sh bench $(ARGS)

soak: ## half of the maximum load for ARGS="--minutes 30": memory, lists, disk, window
	@bash scripts/bench.sh soak $(ARGS)

bindings: ## write ui/src/bindings.ts from the Rust types of the commands
	@TRACEBOOK_WRITE_BINDINGS=1 cargo test --workspace --locked --test app bindings

recordings: ## record the answers that the UI's unit tests replay, from a real `tracebook serve`
	@bash scripts/recordings.sh

fmt: ## format Rust and the UI
	@bash scripts/setup.sh run
	@cargo fmt --all
	@npm run format --prefix ui --silent

clean: ## remove what was built and what set-up remembers; system packages stay
	@rm -rf target ui/dist ui/node_modules tests/node-service/node_modules tests/renderers/node_modules .setup

#!/usr/bin/env bash
# `make check`: all checks except the slow tests. Sourced by test.sh for its steps.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/steps.sh
export NO_COLOR=1 CARGO_TERM_COLOR=never TERM=dumb # rustfmt reads only TERM

check_steps() {
  # The UI's checks take one core; so do lint, format and licences.
  beside ui npm run check --prefix ui --silent -- vitest npm run test --prefix ui --silent
  step lint bash scripts/lint.sh
  step lint-test bash scripts/lint-test.sh
  step fmt cargo fmt --all --check
  step deny .setup/cargo/bin/cargo-deny --workspace check --hide-inclusion-graph bans licenses sources
  step clippy cargo clippy --workspace --all-targets --locked -- -D warnings
  collect
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  bash scripts/setup.sh check
  check_steps
  step unit cargo test --workspace --locked --lib
  finish
fi

#!/usr/bin/env bash
# Builds the programs, or those that are named: cargo-build.sh [--bin NAME]… [OPTION…]. There are no examples: naming
# them makes cargo choose the features that the tests choose, so that building after testing (and the other way round)
# compiles no dependency twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ " $* " == *" --bin "* ]] || set -- --bins "$@"
exec cargo build --workspace --locked --examples "$@"

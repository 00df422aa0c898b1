#!/usr/bin/env bash
# Builds the programs. There are no examples: naming them makes cargo choose the features that the tests
# choose, so that running after testing (and the other way round) compiles no dependency twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec cargo build --workspace --locked --bins --examples "$@"

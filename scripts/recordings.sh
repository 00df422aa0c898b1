#!/usr/bin/env bash
# `make recordings`: runs the UI's unit tests against a real `tracebook serve` and keeps its answers in
# ui/src/test/recordings. Run it after changing a command, or when a unit test sends a command that it did not send
# before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh run
bash scripts/cargo-build.sh --bin tracebook
export TRACEBOOK_BIN="$PWD/${CARGO_TARGET_DIR:-target}/debug/tracebook"
[[ ${CARGO_TARGET_DIR:-} == /* ]] && TRACEBOOK_BIN="$CARGO_TARGET_DIR/debug/tracebook"
npm run record --prefix ui --silent
git diff --stat -- ui/src/test/recordings

#!/usr/bin/env bash
# `make attack`: attacks the release build, or the program that TRACEBOOK_BIN names, and prints what holds.
# ONLY=bombs,slow selects sections; ARGS are passed on: make attack ARGS="--json figures.json".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python="${TRACEBOOK_TEST_PYTHON:-.setup/venv/bin/python}"
if [[ -z ${TRACEBOOK_BIN:-} ]]; then
  bash scripts/setup.sh test
  bash scripts/cargo-build.sh --release --bin tracebook
  TRACEBOOK_BIN="${CARGO_TARGET_DIR:-target}/release/tracebook"
fi
# Settings of the user must not affect the program under attack.
for name in $(compgen -e | grep -E '^(AWS|OTEL|ROLLBAR|HONEYCOMB)_|^TRACEBOOK_(DATA|LOG)$' || true); do unset "$name"; done
exec "$python" scripts/attack/attack.py "$TRACEBOOK_BIN" --only "${ONLY:-}" "$@"

#!/usr/bin/env bash
# `make bench`: cold start and ingest of the release build (BENCH_PROFILE=dev for the dev one, which says little).
# ARGS reach the sender: make bench ARGS="--batches 400 --spans 256".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh test
profile="${BENCH_PROFILE:-release}" folder="${BENCH_PROFILE:-release}"
[[ $profile == dev ]] && folder=debug
bash scripts/cargo-build.sh --profile "$profile"
exec .setup/venv/bin/python scripts/bench.py "${CARGO_TARGET_DIR:-target}/$folder/tracebook" "$@"

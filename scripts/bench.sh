#!/usr/bin/env bash
# `make bench` and `make soak`: builds in release (or BENCH_PROFILE=dev, which is not meaningful), then measures.
# ARGS are passed on: make bench ARGS="--quick --without phoenix", make soak ARGS="--minutes 30".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
what="${1:?bench or soak}"
shift
bash scripts/setup.sh test
profile="${BENCH_PROFILE:-release}" folder="${BENCH_PROFILE:-release}"
[[ $profile == dev ]] && folder=debug
bash scripts/cargo-build.sh --profile "$profile"
exec .setup/venv/bin/python "scripts/bench/$what.py" "${CARGO_TARGET_DIR:-target}/$folder/tracebook" "$@"

#!/usr/bin/env bash
# `make test`: the checks, then every test, in one go on a fresh machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh test
source scripts/check.sh

# Settings of the user must not affect the services under test.
for name in $(compgen -e | grep -E '^(AWS|OTEL|ROLLBAR|HONEYCOMB|TRACEBOOK)_' || true); do unset "$name"; done
export WEBKIT_DISABLE_DMABUF_RENDERER=1 # software rendering: 85 MB less, no GPU here
export RUST_BACKTRACE=1
export TRACEBOOK_TEST_PYTHON="$PWD/.setup/venv/bin/python" # has the real SDKs
export TRACEBOOK_BIN="$PWD/${CARGO_TARGET_DIR:-target}/debug/tracebook"
[[ ${CARGO_TARGET_DIR:-} == /* ]] && TRACEBOOK_BIN="$CARGO_TARGET_DIR/debug/tracebook"

# Every test target but the window's, as arguments.
mapfile -t targets < <(cargo metadata --locked --no-deps --format-version 1 | python3 -c '
import json, sys
kinds = (t for p in json.load(sys.stdin)["packages"] for t in p["targets"] if t["kind"] == ["test"])
print("\n".join("--test\n" + t["name"] for t in kinds if t["name"] != "window"))')

check_steps
step build cargo test --workspace --locked --no-run
# The window and the browser wait more than they compute, so they run beside the others.
beside window xvfb-run -a -s "-screen 0 1280x900x24" cargo test --workspace --locked --no-fail-fast --test window \
  -- browser node --test tests/browser/*.test.mjs \
  -- recordings npm run check:recordings --prefix ui --silent
step cargo cargo test --workspace --locked --no-fail-fast --lib --bins "${targets[@]}"
step bindings grep -E '^test bindings::.* ok$' .setup/logs/cargo.log # they have been compared
collect
finish

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

bindings_are_current() { # the generator's test is one of the unit tests; it must have run
  grep -E '^test .*bindings.* \.\.\. ' .setup/logs/cargo.log || { echo "no test named bindings ran"; return 1; }
  ! grep -qE '^test .*bindings.* \.\.\. FAILED' .setup/logs/cargo.log || { echo "ui/src/bindings.ts is stale: run 'make bindings'"; return 1; }
}
export -f bindings_are_current

check_steps
step build scripts/cargo-build.sh
step cargo xvfb-run -a -s "-screen 0 1280x900x24" cargo test --workspace --locked --no-fail-fast
step bindings bash -c bindings_are_current
mapfile -t browser < <(find tests/browser -name '*.test.*js' 2>/dev/null | sort)
((${#browser[@]} == 0)) || step browser node --test "${browser[@]}"
finish

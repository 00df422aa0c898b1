#!/usr/bin/env bash
# `make run`: sets up, builds, opens the window; arguments are passed to the program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh run
built="${CARGO_TARGET_DIR:-target}/debug"
if [[ -z ${DISPLAY:-} && -z ${WAYLAND_DISPLAY:-} ]]; then
  bash scripts/cargo-build.sh --bin tracebook
  echo "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so the window cannot open: running 'tracebook demo' instead."
  echo "For the same pages in a browser: $built/tracebook serve --ui"
  exec "$built/tracebook" demo "$@"
fi
bash scripts/cargo-build.sh --bin tracebook-desktop
exec "$built/tracebook-desktop" "$@"

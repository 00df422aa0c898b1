#!/usr/bin/env bash
# `make dev` and `make dev-window`: the UI with hot reload; arguments are passed to the program. The journal is one for
# developing, in .setup/dev-data, unless TRACEBOOK_DATA names another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
host="${1:?serve or window}"
shift
case "$host" in
  serve) program=tracebook ;;
  window) program=tracebook-desktop ;;
  *) echo "serve or window, not '$host'" >&2 && exit 1 ;;
esac
bash scripts/setup.sh run
bash scripts/cargo-build.sh --bin "$program"
export TRACEBOOK_DATA="${TRACEBOOK_DATA:-$PWD/.setup/dev-data}"
exec node scripts/dev.mjs "$host" "${CARGO_TARGET_DIR:-target}/debug/$program" "$@"

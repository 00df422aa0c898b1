#!/usr/bin/env bash
# The rules of ARCHITECTURE.md that no compiler checks: what a crate may use, how modules depend on each other, prose.
# scripts/lint-test.sh plants a violation of each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
found=0

say() {
  found=1
  printf '%s\n  %s\n' "$1" "$2"
}

# Lines of Rust outside tests and comments that match. Tests: tests.rs, testing.rs, tests/, and a file's part from
# `#[cfg(test)] mod … {` on.
rust() { # PATTERN FOLDER…
  local pattern="$1"
  shift
  find "$@" -name '*.rs' ! -name 'tests.rs' ! -name 'testing.rs' ! -path '*/tests/*' -print0 2>/dev/null | sort -z |
    xargs -0r awk -v pattern="$pattern" '
      FNR == 1 { tests = gated = 0 }
      gated { tests = /mod .*\{/; gated = 0; if (!tests) next }
      /^[[:space:]]*#\[cfg\(test\)\]/ { gated = 1 }
      tests || /^[[:space:]]*\/\// { next }
      $0 ~ pattern { print FILENAME ":" FNR ": " $0 }'
}

# Dependencies of a crate (without dev-dependencies).
depends() { # PATTERN CRATE…
  local pattern="$1"
  shift
  for crate in "$@"; do
    awk -v pattern="^($pattern)[. =]" '
      /^\[/ { in_it = ($0 == "[dependencies]" || $0 == "[build-dependencies]") }
      in_it && $0 ~ pattern { print FILENAME ":" FNR ": " $0 }' "$crate/Cargo.toml"
  done
}

rule() { # REASON, the lines on stdin
  local line
  while IFS= read -r line; do say "$line" "$1"; done
}

rule "only src-tauri uses Tauri" < <(
  rust '(^|[^a-z_-])tauri(_|::)' crates
  depends 'tauri.*' crates/*
)
rule "only ui/src/host uses Tauri" < <(
  grep -rnE '@tauri-apps|__TAURI' ui/src --include='*.ts' --include='*.js' --include='*.svelte' --exclude-dir=host || true
)
rule "only crates/store uses sqlx" < <(
  others=$(find crates src-tauri -mindepth 0 -maxdepth 1 -type d ! -name crates ! -path crates/store ! -path 'src-tauri/*')
  rust '(^|[^a-z_])sqlx::' $others
  depends 'sqlx' $(for d in $others; do [[ -e $d/Cargo.toml ]] && echo "$d"; done)
)
rule "only app and sources are HTTP clients" < <(
  rust '(^|[^a-z_])reqwest::' crates/core crates/store crates/render crates/cli/src src-tauri/src
  depends 'reqwest' crates/core crates/store crates/render crates/cli src-tauri
)
rule "this crate does no file I/O" < <(rust '(std|tokio)::fs([^a-z_]|$)' crates/core crates/render crates/sources)
rule "this crate does no I/O at all" < <(
  rust '(^|[^a-z_])(tokio|axum|std::(net|process|env))(::|;|$)' crates/core crates/render
  depends 'tokio.*|axum|tonic|hyper.*|aws-.*' crates/core crates/render
)
rule "sources does not use the store, store does not use the network" < <(
  depends 'tracebook-(store|app|render)' crates/sources crates/core
  depends 'tracebook-(sources|app|render)|axum|tonic' crates/store
)
rule "an unfinished note: do it, or write an issue" < <(
  word='[!/*]*[[:space:]]*(TODO|FIXME|XXX)\b'
  {
    grep -rnE "(//|/\*)$word" crates src-tauri/src tests --include='*.rs'
    grep -rnE "(//|/\*|<!--)$word" ui/src tests --exclude-dir=node_modules --include='*.ts' --include='*.js' --include='*.mjs' --include='*.svelte' --include='*.css'
    grep -nE -- "--$word" migrations/*/*.sql
    grep -rnE "#$word" scripts tests/service Makefile .ci Cargo.toml
  } 2>/dev/null || true
)
rule "debugging output" < <(rust '(^|[^a-z_])dbg!' crates src-tauri/src)
bash scripts/words.sh || found=1
python3 scripts/lint.py || found=1

if ((found)); then
  echo "The rules and their reasons: ARCHITECTURE.md; how they are checked: scripts/lint.sh and scripts/lint.py."
  exit 1
fi
echo "No rule is broken."

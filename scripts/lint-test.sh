#!/usr/bin/env bash
# Tests scripts/lint.sh: a copy of the sources passes; with a violation of each rule planted, each is reported.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard -- . ':!tests/fixtures' ':!*.snap' ':!*.png' |
  while IFS= read -r -d '' file; do [[ -e $file ]] && printf '%s\0' "$file"; done |
  tar -cf - --null --files-from=- | tar -xf - -C "$copy"
cd "$copy"

if ! clean=$(bash scripts/lint.sh 2>&1); then
  printf 'The sources as they are break a rule:\n%s\n' "$clean"
  exit 1
fi

FILES=() MESSAGES=()
expect() { # FILE MESSAGE: what lint must print
  FILES+=("$1") MESSAGES+=("$2")
}
plant() { # FILE MESSAGE TEXT: adds the text to the file, which may be new
  mkdir -p "$(dirname "$1")"
  printf '\n%b\n' "$3" >>"$1"
  expect "$1" "$2"
}
depend() { # CRATE DEPENDENCY MESSAGE
  sed -i "s/^\[dependencies\]\$/&\n$2.workspace = true/" "$1/Cargo.toml"
  expect "$1/Cargo.toml" "$3"
}

plant crates/app/src/planted_tauri.rs 'only src-tauri uses Tauri' 'use tauri::AppHandle;'
depend crates/app tauri 'only src-tauri uses Tauri'
plant ui/src/lib/planted.ts 'only ui/src/host uses Tauri' "import { invoke } from '@tauri-apps/api/core'"
plant crates/app/src/planted_sql.rs 'only crates/store uses sqlx' 'fn f() { sqlx::query("SELECT 1"); }'
depend crates/cli sqlx 'only crates/store uses sqlx'
plant crates/render/src/planted_http.rs 'only app and sources are HTTP clients' 'use reqwest::Client;'
depend crates/store reqwest 'only app and sources are HTTP clients'
plant crates/sources/src/planted_files.rs 'this crate does no file I/O' 'use std::fs;'
plant crates/core/src/planted_io.rs 'this crate does no I/O at all' 'use std::process::Command;'
depend crates/render tokio 'this crate does no I/O at all'
depend crates/sources tracebook-store 'sources does not use the store'
depend crates/store axum 'store does not use the network'
plant crates/app/src/planted_note.rs 'an unfinished note' '// TO''DO: later'
plant ui/src/lib/planted_note.ts 'an unfinished note' '// FIX''ME'
plant scripts/planted.sh 'an unfinished note' '# TO''DO'
plant crates/app/src/planted_debug.rs 'debugging output' 'fn f() { dbg!(1); }'
plant ui/src/lib/planted_title.ts 'recognised by its title' 'export const old = /^Week/.test(entry.title)'
plant crates/app/src/journal/planted_layer.rs 'not in crates/app/layers.txt' 'use crate::capture::Capturer;'
plant crates/app/src/telemetry/planted_call.rs 'not in crates/app/layers.txt' 'fn f(&self) { self.live_cards.refresh(); }'
plant crates/app/src/planted_module.rs 'this module is not in crates/app/layers.txt' 'fn f() {}'
plant crates/app/src/journal/planted_impl.rs 'stands in one file' 'impl Tracebook { fn f() {} }'
plant crates/app/src/journal/planted_clock.rs 'clock and entropy are passed in' 'use crate::system::SystemClock;'
plant crates/app/src/journal/planted_arm.rs 'no wildcard arm' \
  'use tracebook_core::evidence::Kind;\nfn f(k: Kind) -> u8 { match k { Kind::Trace => 1, _ => 2 } }'
plant crates/cli/src/planted_json.rs 'calls with types' 'fn f() { client.ask("entry_new", json!({ "week": 2 })); }'
plant docs/planted.md 'write: developer, maintainer' 'For the founders.' # words: allow
plant crates/store/src/planted_table.rs 'only traces.rs names this table' 'const SQL: &str = "SELECT 1 FROM trace";'
plant migrations/journal/9999_planted.sql 'this table has no file' 'CREATE TABLE planted (id INTEGER);'

# The cycle is reported where it closes.
echo 'pub(crate) use crate::planted_there::There;' >crates/core/src/planted_here.rs
plant crates/core/src/planted_there.rs 'in one direction' 'use super::planted_here;'

lines() { printf "$1%.0s" $(seq "$2"); }
plant crates/core/src/planted_comment.rs 'at most 120 columns' "// $(lines 'wide ' 30)"
plant README.md 'wider than 120 columns' "$(lines 'wide ' 30)"

sed -i '/^| Who /{n;s/$/\n| Planted | `tests\/planted.rs::no_such_test` |\n| Planted | no test |/}' SECURITY.md
expect SECURITY.md 'this test does not exist'
expect SECURITY.md 'a row names the test that shows it'

if out=$(bash scripts/lint.sh 2>&1); then
  echo 'lint passes although violations are planted'
  exit 1
fi
missed=0
for n in "${!FILES[@]}"; do
  # The place is on one line, the rule on the same or the next.
  if ! grep -A1 -F -- "${FILES[n]}:" <<<"$out" | grep -qF -- "${MESSAGES[n]}"; then
    missed=$((missed + 1))
    printf 'not reported: "%s" in %s\n' "${MESSAGES[n]}" "${FILES[n]}"
  fi
done
if ((missed)); then
  printf '%s\n' "$out"
  exit 1
fi
echo "${#FILES[@]} planted violations are reported; the sources themselves break no rule."

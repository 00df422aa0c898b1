#!/usr/bin/env bash
# Prose lint: phrases of scripts/words.txt, and Markdown wider than 120 columns except tables. Prints FILE:LINE for each
# finding and exits 1 if there is one. Lines that contain `words: allow` are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C
list=scripts/words.txt
found=0

built=(--exclude-dir={node_modules,target,dist,.setup,.git})
# Recorded conversations and users' entries are data, not prose of ours.
docs=("${built[@]}" --include='*.md' --exclude-dir={data,entries,cloud})
code=("${built[@]}" --include={'*.rs','*.ts','*.svelte','*.css','*.html','*.mjs','*.cjs','*.py','*.sh','*.toml',Makefile}
  --exclude=bindings.ts) # generated from Rust
folders=(crates src-tauri ui tests scripts docs)
swept=(crates src-tauri ui tests scripts docs)
files=(Makefile Cargo.toml clippy.toml deny.toml rustfmt.toml)

# The entries of one section, as REGEX => ADVICE.
section() {
  awk -v wanted="[$1]" '/^\[/ { on = ($0 == wanted); next } on && NF && !/^#/' "$list"
}

regex() { # an entry's regular expression that also finds names_such_as_this
  local regex="${1%% => *}"
  regex="${regex// /[ _]}"
  printf '%s' "${regex//\\b/(\\b|_)}"
}

check() { # SECTION GREP-ARGS…: greps once for all entries, and once for each only where something was found
  local entries entry all
  mapfile -t entries < <(section "$1")
  shift
  all=$(for entry in "${entries[@]}"; do regex "$entry"; echo; done)
  grep -rnIEi "$@" -e "$all" | grep -v 'words: allow' >/dev/null || return 0
  for entry in "${entries[@]}"; do
    grep -rnIEi "$@" -e "$(regex "$entry")" | grep -v 'words: allow' |
      sed "s|\$|\n  write: ${entry#* => }|" || continue
    found=1
  done
}

wide() {
  LC_ALL=C.UTF-8 grep -nE '^.{121,}' ./*.md tests/fixtures/README.md docs/*.md 2>/dev/null |
    grep -vE 'https?://|words: allow|^[^:]*:[0-9]*:\| ' | sed 's/^\([^:]*:[0-9]*\):.*/\1: wider than 120 columns/' || return 0
}

check docs "${docs[@]}" "${folders[@]}" ./*.md
check all "${docs[@]}" "${folders[@]}" ./*.md
check all "${code[@]}" "${swept[@]}" "${files[@]}"
overlong=$(wide)
if [[ -n $overlong ]]; then
  printf '%s\n' "$overlong"
  found=1
fi
if ((found)); then
  echo "The phrases and what to write instead: $list. A quotation or a name: put \`words: allow\` on the line."
  exit 1
fi

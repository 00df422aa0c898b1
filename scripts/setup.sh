#!/usr/bin/env bash
# Installs missing dependencies. Another run does nothing and takes less than a second.
#
#   scripts/setup.sh run     what building and opening the window needs
#   scripts/setup.sh check   … and what the checks need (cargo-deny)
#   scripts/setup.sh test    … and what the tests need (display, drivers, the test services, renderers, moto's tests)
#
# Its state is in .setup/ (`make clean` removes it). System packages: scripts/packages.txt.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly FOR="${1:?run, check or test}"
readonly CARGO_DENY=0.20.2

say() { printf '[setup] %s\n' "$*"; }
fail() {
  printf '[setup] %s\n' "$*" >&2
  exit 1
}

packages_of() { # the packages of some sections
  awk -v wanted="$*" '
    BEGIN { n = split(wanted, names, " "); for (i = 1; i <= n; i++) want["[" names[i] "]"] = 1 }
    { sub(/#.*/, "") }
    /^\[/ { in_it = ($1 in want); next }
    in_it && NF { print $1 }' scripts/packages.txt
}

missing_of() { # those of some packages that are not installed
  local -A installed=()
  local name
  while read -r name; do installed[$name]=1; done < <(
    dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | awk '$1 == "installed" { print $2 }'
  )
  for name in "$@"; do [[ -n ${installed[$name]:-} ]] || echo "$name"; done
}

system_packages() {
  local wanted missing as_root=()
  mapfile -t wanted < <(packages_of "$@")
  if ! command -v apt-get dpkg-query >/dev/null; then
    [[ -e .setup/packages-by-hand ]] && return
    say "there is no apt here, so install these by hand (Debian's names), then run: touch .setup/packages-by-hand"
    printf '  %s\n' "${wanted[@]}"
    exit 1
  fi
  mapfile -t missing < <(missing_of "${wanted[@]}")
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "as root, run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing system packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
}

hash_of() { # a digest over names and contents of files and folders
  find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# once NAME HASH COMMAND…: runs the command unless it last succeeded with this hash.
once() {
  local stamp=".setup/$1.stamp" hash="$2"
  shift 2
  [[ -e $stamp && $(<"$stamp") == "$hash" ]] && return 0
  rm -f "$stamp"
  "$@"
  echo "$hash" >"$stamp"
}

own_folder() { # npm ci empties what it finds, also behind a link
  [[ ! -L $1 ]] || rm "$1"
}

ui_packages() {
  own_folder ui/node_modules
  say "installing the UI's packages (npm ci)"
  npm ci --prefix ui --no-audit --no-fund --loglevel=error
}

ui_build() {
  say "building the UI"
  npm run build --prefix ui --silent
}

service_venv() {
  say "installing the packages of the test service and of moto's tests (.setup/venv)"
  rm -rf .setup/venv
  "$1" -m venv .setup/venv
  .setup/venv/bin/pip install --quiet --disable-pip-version-check \
    --requirement tests/service/requirements.txt --requirement tests/suites/requirements.txt
}

node_service() {
  own_folder tests/node-service/node_modules
  say "installing the Node test service's packages (npm ci)"
  npm ci --prefix tests/node-service --ignore-scripts --no-audit --no-fund --loglevel=error
}

renderers() {
  own_folder tests/renderers/node_modules
  say "installing the Markdown renderers (npm ci)"
  npm ci --prefix tests/renderers --ignore-scripts --no-audit --no-fund --loglevel=error
}

cargo_deny() {
  say "building cargo-deny $CARGO_DENY (two minutes, once)"
  rm -rf .setup/cargo
  cargo install --quiet --locked "cargo-deny@$CARGO_DENY" --root .setup/cargo --target-dir .setup/cargo-target
  rm -rf .setup/cargo-target
}

case "$FOR" in
  run) sections=(run) ;;
  check) sections=(run check) ;;
  test) sections=(run check test) ;;
  *) fail "run, check or test, not '$FOR'" ;;
esac

mkdir -p .setup
system_packages "${sections[@]}"
exec 9>.setup/lock
if ! flock --nonblock 9; then
  say "waiting for another make in this folder"
  flock 9
fi

command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs (1.95 or newer)"
command -v npm >/dev/null || fail "Node is missing: install Node 20.19 or newer, with npm"

deny=
if [[ $FOR != run ]]; then
  [[ -x .setup/cargo/bin/cargo-deny ]] || rm -f .setup/cargo-deny.stamp
  once cargo-deny "$CARGO_DENY" cargo_deny & # it compiles while the others download
  deny=$!
fi

[[ -d ui/node_modules ]] || rm -f .setup/ui-packages.stamp
once ui-packages "$(hash_of ui/package.json ui/package-lock.json)" ui_packages
[[ -e ui/dist/index.html ]] || rm -f .setup/ui-build.stamp
mapfile -t sources < <(find ui -mindepth 1 -maxdepth 1 ! -name node_modules ! -name dist ! -name '.svelte-kit')
once ui-build "$(hash_of "${sources[@]}")" ui_build

if [[ $FOR == test ]]; then
  python=/usr/bin/python3 # Debian's, for which python3-venv was installed
  [[ -x $python ]] || python=$(command -v python3) || fail "Python 3 is missing: install python3 and its venv module"
  [[ -x .setup/venv/bin/python ]] || rm -f .setup/venv.stamp
  # A venv contains its path, so a moved checkout needs a new one.
  once venv "$(hash_of tests/service/requirements.txt tests/suites/requirements.txt) $PWD $("$python" --version)" \
    service_venv "$python"
  .setup/venv/bin/python tests/suites/run_moto.py --fetch # only if they are not there
  [[ -d tests/node-service/node_modules ]] || rm -f .setup/node-service.stamp
  once node-service "$(hash_of tests/node-service/package.json tests/node-service/package-lock.json)" node_service
  [[ -d tests/renderers/node_modules ]] || rm -f .setup/renderers.stamp
  once renderers "$(hash_of tests/renderers/package.json tests/renderers/package-lock.json)" renderers
fi
[[ -z $deny ]] || wait "$deny"

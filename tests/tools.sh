#!/usr/bin/env bash
# Finds what the tests need, or installs it: cargo (must be there), PostgreSQL 15 or later, Python packages in
# .tools/venv, buf in .tools/node_modules, Chromium and what its page is made of in .tools/browser. Whatever cannot be
# had ends with one clear line; nothing is skipped.
#
# usage: tests/tools.sh [cargo] [postgres] [python] [buf] [browser]     (all without arguments)
set -euo pipefail
cd "$(dirname "$0")/.."

BUF=1.75.0

fail() {
    echo "tests/tools.sh: $*" >&2
    exit 1
}

# Installs packages of the system, where that is possible.
system_install() {
    command -v apt-get >/dev/null || fail "please install $*: it is not here, and neither is apt-get"
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || fail "please install $* (as root: apt-get install $*)"
        as_root=(sudo -n)
    fi
    echo "installing $* with apt-get"
    "${as_root[@]}" apt-get update -q >/dev/null
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null ||
        fail "apt-get cannot install $*"
}

need_cargo() {
    command -v cargo >/dev/null || fail "cargo is missing: install Rust first, see https://rustup.rs"
    # SQLite and jemalloc come as C source, and some crates link with the system's linker.
    command -v cc >/dev/null && command -v make >/dev/null || system_install gcc libc6-dev make
    cargo clippy --version >/dev/null 2>&1 || fail "clippy is missing: rustup component add clippy"
    cargo fmt --version >/dev/null 2>&1 || fail "rustfmt is missing: rustup component add rustfmt"
}

# The newest PostgreSQL here, in whole numbers; 0 where there is none.
postgres_version() {
    local path newest=0 version
    for path in /usr/lib/postgresql/*/bin/postgres "$(command -v postgres || true)"; do
        [ -x "$path" ] || continue
        version=$("$path" --version | grep -oE '[0-9]+' | head -1)
        [ "$version" -gt "$newest" ] && newest=$version
    done
    echo "$newest"
}

need_postgres() {
    [ "$(postgres_version)" -ge 15 ] || system_install postgresql
    local version
    version=$(postgres_version)
    [ "$version" -ge 15 ] || fail "PostgreSQL 15 or later is needed; this system brings $version"
    # As root, the server runs as another user.
    [ "$(id -u)" != 0 ] || command -v setpriv >/dev/null || system_install util-linux
}

need_python() {
    command -v python3 >/dev/null || system_install python3 python3-venv
    local wanted stamp=.tools/venv/installed
    wanted=$(cat tests/outside/requirements.txt; python3 --version)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
    rm -rf .tools/venv
    mkdir -p .tools
    python3 -m venv .tools/venv >/dev/null 2>&1 ||
        { system_install python3-venv; rm -rf .tools/venv; python3 -m venv .tools/venv; }
    .tools/venv/bin/pip install -q --disable-pip-version-check -r tests/outside/requirements.txt ||
        fail "the Python packages of tests/outside/requirements.txt cannot be installed"
    echo "$wanted" >"$stamp"
}

need_npm() {
    # Some packages of node bring npm along, and others conflict with one of its own.
    command -v npm >/dev/null || system_install nodejs
    command -v npm >/dev/null || system_install npm
}

need_buf() {
    local buf=.tools/node_modules/.bin/buf
    [ -x "$buf" ] && [ "$("$buf" --version 2>/dev/null)" = "$BUF" ] && return
    need_npm
    npm install --silent --no-save --no-audit --no-fund --prefix .tools "@bufbuild/buf@$BUF" >/dev/null ||
        fail "npm cannot install @bufbuild/buf@$BUF"
    "$buf" --version >/dev/null || fail "buf does not run on this machine"
}

# A Chromium that runs, under any of its names; the same are in tests/outside/chromium.py.
has_chromium() {
    local name
    for name in ${CHROMIUM:-chromium chromium-browser google-chrome google-chrome-stable}; do
        "$name" --version >/dev/null 2>&1 && return
    done
    return 1
}

need_browser() {
    has_chromium || [ -z "${CHROMIUM:-}" ] || fail "CHROMIUM=$CHROMIUM does not run"
    has_chromium || system_install chromium
    has_chromium || fail "please install Chromium or Google Chrome, or say where it is: CHROMIUM=/path/to/chrome"
    local here=.tools/browser from=tests/outside/browser wanted
    wanted=$(cat "$from/package.json" "$from/package-lock.json")
    [ -f "$here/installed" ] && [ "$(cat "$here/installed")" = "$wanted" ] && return
    need_npm
    rm -rf "$here"
    mkdir -p "$here"
    cp "$from/package.json" "$from/package-lock.json" "$here"
    (cd "$here" && npm ci --silent --ignore-scripts --no-audit --no-fund >/dev/null) ||
        fail "npm cannot install the packages of $from/package.json"
    "$here/node_modules/.bin/esbuild" --version >/dev/null || fail "esbuild does not run on this machine"
    "$here/node_modules/.bin/protoc-gen-es" --version >/dev/null || fail "node 20 or later is needed; this is $(node --version)"
    echo "$wanted" >"$here/installed"
}

[ $# -gt 0 ] || set -- cargo postgres python buf browser
for tool in "$@"; do
    "need_$tool"
done

#!/usr/bin/env bash
# Runs the suites and says at the end which of them failed; `make test` and .ci/run are this script.
#
# usage: tests/run.sh [lint] [rust] [proto] [outside]     (all without arguments)
set -uo pipefail
cd "$(dirname "$0")/.."

BUF=.tools/node_modules/.bin/buf
BASELINE=proto/eile-v1.baseline.binpb

lint() {
    tests/tools.sh cargo || return
    cargo fmt --check && echo "rustfmt: nothing to change" || return
    cargo clippy --all-targets -- -D warnings && echo "clippy: no warnings"
}

# One process per test binary, so that its tests share one PostgreSQL.
rust() {
    tests/tools.sh cargo postgres && cargo test --no-fail-fast
}

proto() {
    tests/tools.sh buf || return
    "$BUF" lint && echo "buf lint: ok" || return
    "$BUF" breaking --against "$BASELINE" && echo "buf breaking: nothing that was released is broken" || return
    a_broken_copy_is_seen && echo "buf breaking: a field with another type is seen"
}

# The comparison itself is tested: the same proto with one type changed must be refused.
a_broken_copy_is_seen() {
    local copy status
    copy=$(mktemp -d) || return
    cp -r proto buf.yaml "$copy"
    sed -i 's/int64 accepted_number = 4;/int32 accepted_number = 4;/' "$copy/proto/eile/v1/registrations.proto"
    ! cmp -s {,"$copy/"}proto/eile/v1/registrations.proto && ! "$BUF" breaking "$copy" --against "$BASELINE" >/dev/null
    status=$?
    rm -rf "$copy"
    return $status
}

outside() {
    tests/tools.sh cargo postgres python browser || return
    cargo build --quiet --bin eile || return
    # shellcheck disable=SC2086  # ARGS is several words
    .tools/venv/bin/python -m pytest -c tests/outside/pytest.ini tests/outside ${ARGS:-}
}

[ $# -gt 0 ] || set -- lint rust proto outside
failed=()
for suite in "$@"; do
    printf '\n== %s ==\n' "$suite"
    "$suite" || failed+=("$suite")
done

printf '\n== summary ==\n'
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}"
    exit 1
fi
echo "passed: $*"

#!/usr/bin/env bash
# The launchers of npm's @foundry-rs/forge, cast and anvil 1.7.1 end with status 0 whatever the program that they start ended with:
# a script that calls node_modules/.bin/forge takes a failing test run for a passing one.
#
# The native binary, in the package of the platform, ends as it should.
#
# Seen 2026-11-29: "launcher: 0, binary: 2" for `forge test --no-such-option`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --no-audit --no-fund --loglevel=error @foundry-rs/forge@1.7.1 >/dev/null

status_of() {
  local status=0
  "$@" >/dev/null 2>&1 || status=$?
  echo "$status"
}
launcher=$(status_of node_modules/.bin/forge test --no-such-option)
binary=$(status_of node_modules/@foundry-rs/forge-*/bin/forge test --no-such-option)
echo "launcher: $launcher, binary: $binary" | tee seen
diff <(echo "launcher: 0, binary: 2") seen

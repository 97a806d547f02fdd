# Source this (bash) to put the pinned forge, cast and anvil on PATH.
#
# The launchers that npm links (node_modules/.bin/forge and so on) end with status 0 whatever happened:
# a failing test run looks like a passing one. These are the binaries that they launch.

foundry_platform() {
  local system machine
  system=$(uname -s | tr '[:upper:]' '[:lower:]')
  machine=$(uname -m)
  case $machine in
    x86_64) machine=amd64 ;;
    aarch64) machine=arm64 ;;
  esac
  printf '%s-%s' "$system" "$machine"
}

foundry_path() {
  local packages platform tool
  packages=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/node_modules/@foundry-rs
  platform=$(foundry_platform)
  for tool in forge cast anvil; do
    printf '%s:' "$packages/$tool-$platform/bin"
  done
}

PATH="$(foundry_path)$PATH"
export PATH

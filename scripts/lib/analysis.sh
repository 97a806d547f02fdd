# Source this (bash), with errors fatal, to put the pinned halmos and slither on PATH, and forge with them. They are installed
# from PyPI into target/analysis the first time, and again when scripts/lib/analysis-requirements.txt is another.

analysis_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$analysis_root/scripts/lib/foundry.sh"
. "$analysis_root/scripts/lib/lock.sh"

install_analysis() {
  local wanted=$analysis_root/scripts/lib/analysis-requirements.txt home=$analysis_root/target/analysis
  take_lock "$home.lock"
  if ! cmp -s "$wanted" "$home/installed.txt"; then
    echo "installing halmos and slither into target/analysis"
    rm -rf "$home"
    python3 -m venv "$home" && "$home/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$wanted" &&
      cp "$wanted" "$home/installed.txt"
  fi
  release_lock "$home.lock"
  [[ -f $home/installed.txt ]]
}

install_analysis || exit 1
PATH="$analysis_root/target/analysis/bin:$PATH"
export PATH

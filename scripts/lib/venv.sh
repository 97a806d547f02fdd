# Source this (bash), in the project's folder and with errors fatal: Python packages of PyPI in an environment of their own.
. scripts/lib/lock.sh

# install_venv <folder> <list> [pip's options...]: as the list says, and again once the list is another.
install_venv() {
  local folder=$1 wanted=$2
  shift 2
  take_lock "$folder.lock"
  trap 'release_lock "'"$folder"'.lock"' EXIT
  if ! cmp -s "$wanted" "$folder/installed.txt"; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps "$@" --requirement "$wanted"
    cp "$wanted" "$folder/installed.txt"
  fi
}

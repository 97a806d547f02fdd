# Source this (bash). One run at a time for what several runs would spoil for each other.

# take_lock <directory>: waits until the lock is ours; a lock whose owner is gone is taken over.
take_lock() {
  local lock=$1 owner waiting=0
  mkdir -p "$(dirname "$lock")"
  until mkdir "$lock" 2>/dev/null; do
    owner=$(cat "$lock/pid" 2>/dev/null || true)
    if [[ -n $owner ]] && ! kill -0 "$owner" 2>/dev/null; then
      rm -rf "$lock"
      continue
    fi
    if ((waiting == 0)); then
      echo "waiting for process ${owner:-unknown}, which holds $lock"
      waiting=1
    fi
    sleep 1
  done
  echo "${BASHPID:-$$}" >"$lock/pid"
}

# release_lock <directory>: only if it is ours.
release_lock() {
  if [[ $(cat "$1/pid" 2>/dev/null || true) == "${BASHPID:-$$}" ]]; then
    rm -rf "$1"
  fi
}

# Source this (bash). Packages of Debian and its kin: fetched by apt, which holds them to the distribution's signed index, and unpacked
# without root and without being installed.

# Whether there is an apt to ask.
has_apt() {
  local tool
  for tool in apt-get apt-cache dpkg; do command -v "$tool" >/dev/null || return 1; done
}

# debian_version <package>: the version that apt offers. If it offers none, the lists may be missing: root fetches them.
debian_version() {
  local version
  version=$(debian_candidate "$1")
  if [[ -z $version ]] && ((EUID == 0)); then
    apt-get update -qq >&2 || return 1
    version=$(debian_candidate "$1")
  fi
  if [[ -z $version ]]; then
    echo "apt offers no $1: its lists may be missing (apt-get update, as root)" >&2
    return 1
  fi
  echo "$version"
}

# In English whoever asks.
debian_candidate() {
  LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p' | grep -vx '(none)' || true
}

# debian_unpack <folder> <package>[=<start of its version>]...: into the folder, which is emptied before; prints each package with its version.
debian_unpack() {
  local folder=$1 wanted package version
  shift
  rm -rf "$folder"
  mkdir -p "$folder"
  for wanted in "$@"; do
    package=${wanted%%=*}
    version=$(debian_version "$package") || return 1
    if [[ $wanted == *=* && $version != "${wanted#*=}"* ]]; then
      echo "apt offers $package $version; ${wanted#*=} is needed" >&2
      return 1
    fi
    (cd "$folder" && LC_ALL=C apt-get download -qq -o APT::Sandbox::User=root "$package=$version" >&2 && dpkg -x "$package"_*.deb . && rm "$package"_*.deb) || {
      echo "$package $version could not be fetched and unpacked" >&2
      return 1
    }
    echo "$package $version"
  done
}

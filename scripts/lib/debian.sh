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
  version=$(debian_offers "$1" | cut -d ' ' -f 2)
  if [[ -z $version ]] && ((EUID == 0)); then
    apt-get update -qq >&2 || return 1
    version=$(debian_offers "$1" | cut -d ' ' -f 2)
  fi
  if [[ -z $version ]]; then
    echo "apt offers no $1: its lists may be missing (apt-get update, as root)" >&2
    return 1
  fi
  echo "$version"
}

# debian_offers <package>...: each that apt offers, with its version. In English whoever asks.
debian_offers() {
  LC_ALL=C apt-cache policy "$@" 2>/dev/null |
    awk '/^[^ ]/ { name = $1; sub(":$", "", name) } /^ *Candidate: / && $2 != "(none)" { print name, $2 }'
}

# debian_unpack <folder> <package>[=<start of its version>]...: into the folder, which is emptied before; prints each package with its version.
# Apt is asked for all of them at once: most of its time goes into starting.
debian_unpack() {
  local folder=$1 wanted package version chosen=()
  local -A offered=()
  shift
  rm -rf "$folder"
  mkdir -p "$folder"
  while read -r package version; do offered[$package]=$version; done < <(debian_offers "${@%%=*}")
  for wanted in "$@"; do
    package=${wanted%%=*}
    version=${offered[$package]-}
    if [[ -z $version ]]; then version=$(debian_version "$package") || return 1; fi
    if [[ $wanted == *=* && $version != "${wanted#*=}"* ]]; then
      echo "apt offers $package $version; ${wanted#*=} is needed" >&2
      return 1
    fi
    chosen+=("$package=$version")
  done
  (cd "$folder" && LC_ALL=C apt-get download -qq -o APT::Sandbox::User=root "${chosen[@]}" >&2 &&
    for package in ./*.deb; do dpkg -x "$package" . && rm "$package" || exit 1; done) || {
    echo "${chosen[*]} could not be fetched and unpacked" >&2
    return 1
  }
  for package in "${chosen[@]}"; do echo "${package/=/ }"; done
}

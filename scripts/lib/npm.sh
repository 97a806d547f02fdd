# Source this (bash): npm packages as a lock file says.

# install_packages <folder>: npm ci empties node_modules first, so it runs only when the lock file is not the one installed.
install_packages() {
  local folder=$1 installed=$1/node_modules/.installed-lock.json
  if cmp -s "$folder/package-lock.json" "$installed"; then
    echo "npm packages are those of $folder/package-lock.json"
    return
  fi
  echo "npm ci: installing the packages of $folder/package-lock.json"
  npm ci --no-progress --prefix "$folder"
  cp "$folder/package-lock.json" "$installed"
}

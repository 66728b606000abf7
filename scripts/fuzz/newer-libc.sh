#!/usr/bin/env bash
# newer-libc.sh FOLDER: the C libraries of Debian 13 in FOLDER, for Jazzer.js, whose addon wants a
# glibc of 2.38 or newer; nothing is installed. Prints the folder of the libraries.
set -euo pipefail

folder=$(realpath -m "$1")
libraries=$folder/usr/lib/x86_64-linux-gnu
if [[ ! -e $folder/complete ]]; then
  [[ $(dpkg --print-architecture) == amd64 ]] || { echo 'expected amd64' >&2; exit 1; }
  mkdir -p "$folder"/apt/{lists/partial,cache/archives/partial}
  # apt checks what it fetches against Debian's keys, as for the machine itself.
  key=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb [signed-by=$key] http://deb.debian.org/debian trixie main" >"$folder/apt/sources.list"
  options=(
    -qq -o "Dir::Etc::sourcelist=$folder/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache"
    -o APT::Sandbox::User=root
  )
  cd "$folder/apt"
  apt-get "${options[@]}" update >&2
  apt-get "${options[@]}" download libc6 libstdc++6 libgcc-s1 >&2
  for package in ./*.deb; do dpkg-deb --extract "$package" "$folder"; done
  rm -rf "$folder/apt"
  touch "$folder/complete"
fi
echo "$libraries"

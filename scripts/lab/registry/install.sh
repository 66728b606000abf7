#!/usr/bin/env bash
# Makes sure that docker-registry and two versions of cosign are there, and prints the folder that holds them.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
source "$here/../lib.sh"
# shellcheck source-path=SCRIPTDIR source=../debian.sh
source "$here/../debian.sh"

# To be counted up whenever other programs or versions are to be in it.
folder=registry-1

usage() {
  cat <<'END'
usage: scripts/lab/registry/install.sh

Prints (stdout, one line) the folder with docker-registry-2.8, cosign-2.5 and cosign-3.1.

IMAGE_CHECKER_LAB_CACHE     where they are kept (default ~/.cache/image-checker-lab)
IMAGE_CHECKER_LAB_MIRROR    the Debian mirror (default: the one in this machine's apt sources)

They are taken from Debian packages (bookworm, trixie, sid), some 50 MB, and unpacked without
being installed; no root is needed.
END
}

has_binaries() { # FOLDER
  [[ -x $1/docker-registry-2.8 && -x $1/cosign-2.5 && -x $1/cosign-3.1 ]]
}

# VERSION is what the package is expected to be, its last parts aside; a newer minor version, which sid
# may have any day, is told and taken.
unpack() { # PACKAGE RELEASE VERSION
  local scratch name=$1-$3 version
  scratch=$(mktemp -d "$work/package.XXXXXX")
  (cd "$scratch" && apt download "$1/$2")
  version=$(dpkg-deb --field "$scratch"/*.deb Version)
  [[ $version == "${3%%.*}".* ]] || die "expected $1 $3 in Debian $2, got $version"
  [[ $version == "$3".* ]] || say "expected $1 $3 in Debian $2, got $version, which is called $3 from here on"
  dpkg-deb --extract "$scratch"/*.deb "$scratch/unpacked"
  mv "$scratch/unpacked/usr/bin/$1" "$work/bin/$name"
  rm -rf "$scratch"
  "$work/bin/$name" --help >/dev/null || die "$name does not run on this machine"
}

fetch() {
  local mirror release
  mirror=$(debian_mirror 'the tests with a registry need docker-registry and cosign from Debian packages')
  say "fetching docker-registry and cosign from $mirror"
  mkdir -p "$work"/{lists,cache,bin}
  for release in bookworm trixie sid; do
    printf 'deb [signed-by=%s] %s %s main\n' "$debian_keyring" "$mirror" "$release"
  done >"$work/sources.list"
  apt update
  unpack docker-registry bookworm 2.8
  unpack cosign trixie 2.5
  unpack cosign sid 3.1
}

[[ ${1:-} != --help ]] || { usage; exit 0; }
(($# == 0)) || refuse "expected no arguments, got $*"

cache=${IMAGE_CHECKER_LAB_CACHE:-$HOME/.cache/image-checker-lab}
mkdir -p "$cache"
if ! has_binaries "$cache/$folder"; then
  # One run fetches, others wait for it. What an earlier run that was killed left behind goes first.
  exec 9>"$cache/.registry.lock"
  flock 9
  if ! has_binaries "$cache/$folder"; then
    rm -rf "$cache"/.registry.work.* "${cache:?}/$folder"
    work=$(mktemp -d "$cache/.registry.work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    fetch
    mv -T "$work/bin" "$cache/$folder"
  fi
fi
(cd "$cache/$folder" && pwd)

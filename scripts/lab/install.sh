#!/usr/bin/env bash
# Makes sure that kube-apiserver, etcd and kubectl are there, and prints the folder that holds them.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

version=v1.20.2 # what build.sh builds; the cache holds one folder for each version

usage() {
  cat <<'END'
usage: scripts/lab/install.sh

Prints (stdout, one line) the folder with kube-apiserver, etcd and kubectl. Unless they are given,
what the registry of the lab needs is made sure of too (registry/install.sh).

KUBEBUILDER_ASSETS          a folder that holds the three: used as it is, nothing is built
IMAGE_CHECKER_LAB_CACHE     where the built ones are kept (default ~/.cache/image-checker-lab)
IMAGE_CHECKER_LAB_MIRROR    the Debian mirror (default: the one in this machine's apt sources)

The first run builds kube-apiserver from Debian's source package (build.sh): a few minutes,
some 3 GB of disk meanwhile. It needs no root and installs nothing on the machine.
END
}

has_binaries() { # FOLDER
  [[ -x $1/kube-apiserver && -x $1/etcd && -x $1/kubectl ]]
}

work='' builder=''
clean_up() {
  if [[ -n $builder ]]; then
    kill "$builder" 2>/dev/null || true
    wait "$builder" 2>/dev/null || true
  fi
  [[ -z $work ]] || rm -rf "$work"
}

# One run builds, others wait for it. What an earlier run that was killed left behind goes first.
build_once() { # CACHE
  local cache=$1
  mkdir -p "$cache"
  exec 9>"$cache/.lock"
  if ! flock -n 9; then
    say 'another run is building, waiting for it'
    flock 9
  fi
  ! has_binaries "$cache/$version" || return 0

  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  rm -rf "$cache"/.build.*
  work=$(mktemp -d "$cache/.build.XXXXXX")
  # `timeout` gives the build a process group of its own, so that ending it ends all of it.
  timeout 60m "$here/build.sh" "$version" "$work" >&2 &
  builder=$!
  wait "$builder" || die 'the build failed' 'its messages are above; KUBEBUILDER_ASSETS=FOLDER uses binaries from elsewhere'
  builder=''
  rm -rf "${cache:?}/$version"
  mv -T "$work/bin" "$cache/$version"
}

[[ ${1:-} != --help ]] || { usage; exit 0; }
(($# == 0)) || refuse "expected no arguments, got $*"

if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
  has_binaries "$KUBEBUILDER_ASSETS" ||
    die "expected kube-apiserver, etcd and kubectl in KUBEBUILDER_ASSETS ($KUBEBUILDER_ASSETS)" \
      'unset it to have them built from Debian packages'
  (cd "$KUBEBUILDER_ASSETS" && pwd)
  exit 0
fi

"$here/registry/install.sh" >/dev/null
cache=${IMAGE_CHECKER_LAB_CACHE:-$HOME/.cache/image-checker-lab}
has_binaries "$cache/$version" || build_once "$cache"
(cd "$cache/$version" && pwd)

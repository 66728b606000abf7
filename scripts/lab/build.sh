#!/usr/bin/env bash
# Builds kube-apiserver from Debian's source package, and takes etcd and kubectl from Debian.
#
# Nothing is installed and no root is needed (debian.sh).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR source=debian.sh
source "$here/debian.sh"

usage() {
  cat <<'END'
usage: scripts/lab/build.sh VERSION FOLDER

Fills FOLDER/bin with kube-apiserver, etcd and kubectl; all else in FOLDER is scratch.
VERSION (v1.20.2) is what Debian bookworm's source package is expected to be.
scripts/lab/install.sh calls this once and keeps the result.
END
}

[[ ${1:-} != --help ]] || { usage; exit 0; }
(($# == 2)) || refuse "expected VERSION and FOLDER, got $# arguments"
version=$1 # with its v
work=$(cd "$2" && pwd)
release=bookworm

mirror=$(debian_mirror 'set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl')

fetch() {
  say "fetching packages from $mirror ($release)"
  mkdir -p "$work"/{lists,cache,packages,unpacked,go/src/k8s.io/kubernetes,bin}
  printf '%s [signed-by=%s] %s %s main\n' \
    deb "$debian_keyring" "$mirror" "$release" deb-src "$debian_keyring" "$mirror" "$release" >"$work/sources.list"
  apt update
  (cd "$work/packages" &&
    apt download etcd-server kubernetes-client golang-1.19-go golang-1.19-src &&
    apt source --download-only kubernetes)
}

# The upstream tarball alone: Debian's patches to it (1.20.2-1.1+deb12u1) concern kubectl, which
# comes from Debian's own build. GOPATH mode wants a real folder at src/k8s.io/kubernetes.
unpack() {
  local package tarball
  for package in "$work"/packages/*.deb; do dpkg-deb --extract "$package" "$work/unpacked"; done
  tarball=$(echo "$work"/packages/kubernetes_*"${version#v}".orig.tar.gz)
  [[ -f $tarball ]] || die "expected the source of kubernetes $version, got $(cd "$work/packages" && echo kubernetes_*)"
  tar -xzf "$tarball" --strip-components=1 -C "$work/go/src/k8s.io/kubernetes"
}

# The one generated file that the tarball lacks. `make generated_files` makes it too, but builds every
# other generator first and makes over again what is already there: minutes instead of seconds.
# The packages are those that Makefile.generated_files gives to openapi-gen, and its check is the same.
generate_openapi() {
  say 'generating the OpenAPI definitions'
  go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  local packages
  packages=$(grep -R -l --include='*.go' '^// *+k8s:openapi-gen=' cmd pkg plugin test vendor/k8s.io |
    grep -v -E '^vendor/k8s.io/(code-generator|sample-apiserver)/' |
    xargs -n1 dirname | LC_ALL=C sort -u | sed 's,^,k8s.io/kubernetes/,' | paste -sd,)
  "$work/openapi-gen" --input-dirs "$packages" --output-package k8s.io/kubernetes/pkg/generated/openapi \
    --output-file-base zz_generated.openapi --report-filename "$work/violations" \
    --go-header-file vendor/k8s.io/code-generator/hack/boilerplate.go.txt
  cmp "$work/violations" api/api-rules/violation_exceptions.list
}

# `providerless` leaves the cloud providers out, which is a third of the code and no part of admission.
compile() {
  say "building kube-apiserver $version (minutes)"
  local numbers package stamps=''
  IFS=. read -ra numbers <<<"${version#v}"
  for package in client-go/pkg component-base; do # each has its own copy; /version shows the first
    package=k8s.io/kubernetes/vendor/k8s.io/$package/version
    stamps+=" -X $package.gitVersion=$version -X $package.gitMajor=${numbers[0]} -X $package.gitMinor=${numbers[1]}"
  done
  go build -trimpath -tags selinux,notest,providerless -ldflags "-s -w$stamps" \
    -o "$work/bin/kube-apiserver" ./cmd/kube-apiserver
}

fetch
unpack
export GOROOT=$work/unpacked/usr/lib/go-1.19 GOPATH=$work/go GOCACHE=$work/go-cache GOENV=off
export GO111MODULE=off CGO_ENABLED=0 GOFLAGS='' PATH=$GOROOT/bin:$PATH
cd "$work/go/src/k8s.io/kubernetes"
generate_openapi
compile
cp "$work/unpacked/usr/bin/etcd" "$work/unpacked/usr/bin/kubectl" "$work/bin/"
[[ $("$work/bin/kube-apiserver" --version) == "Kubernetes $version" ]] ||
  die "expected a kube-apiserver $version, got $("$work/bin/kube-apiserver" --version)"

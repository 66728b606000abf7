#!/usr/bin/env bash
# Proves that the executable needs no Node: in a root file system that has none it makes an
# installation, examines it and answers reviews.
set -uo pipefail

root=$(CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=checks.sh
source "$root/scripts/checks.sh"
# Seconds.
readonly READY_WITHIN=30

usage() {
  cat <<'END'
usage: scripts/prove-executable.sh [EXECUTABLE]

Builds the executable for this machine (scripts/build-executable.sh), unless one is given, and runs
`setup`, `serve` and `doctor` with it in a root file system that holds nothing but the C libraries
that it links to. /readyz and reviews are asked from outside, over mutual TLS. As another user than
root it needs user namespaces (unshare).

Prints a line per check and ends with 'N passed, N failed'; exits 1 if any failed.
END
}

contains() { # TEXT COMMAND...: what a command says holds a text
  local text=$1 said
  shift
  said=$("$@" 2>&1)
  [[ $said == *"$text"* ]] || { echo "expected '$text', got '$said'" && return 1; }
}

fails_with() { # CODE COMMAND...
  local expected=$1 code=0
  shift
  "$@" || code=$?
  ((code == expected)) || { echo "expected exit code $expected, got $code" && return 1; }
}

# The machine without Node

make_root() { # EXECUTABLE
  local library
  mkdir -p "$jail"/{etc,tmp,usr/local/bin,usr/bin,dev}
  cp "$1" "$jail/usr/local/bin/image-checker"
  while read -r library; do
    mkdir -p "$jail$(dirname "$library")"
    cp -L "$library" "$jail$library"
  done < <(ldd "$1" | grep -oE '/[^ ]+')
}

inside() { # ARGUMENT...: of image-checker
  "${enter[@]}" "$jail" /usr/local/bin/image-checker "$@"
}

only_libraries() {
  local others
  others=$(cd "$jail" && find . -type f ! -name '*.so*' ! -path ./usr/local/bin/image-checker)
  [[ -z $others ]] || { echo "expected nothing but libraries, got $others" && return 1; }
}

# The service

free_port() {
  local port
  for _ in {1..100}; do
    port=$((20000 + RANDOM % 12000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
  done
  fail 'found no free port from 20000 to 31999'
}

ask() { curl -sS --noproxy '*' --max-time 10 "$@"; }

until_ready() {
  local end=$((SECONDS + READY_WITHIN))
  until ask -f "http://127.0.0.1:$admin_port/readyz"; do
    ((SECONDS < end)) || { cat "$work/serve.log" && return 1; }
    sleep 0.2
  done
}

review() { # IMAGE [CURL OPTION...]
  local body
  printf -v body '{"apiVersion":"imagepolicy.k8s.io/v1alpha1","kind":"ImageReview","spec":{"containers":[{"image":"%s"}],"namespace":"default"}}' "$1"
  ask --cacert "$admission/external-cert.pem" "${@:2}" -H 'Content-Type: application/json' \
    -d "$body" "https://127.0.0.1:$port/check-image"
}

as_apiserver() { # IMAGE
  review "$1" --cert "$admission/apiserver-client-cert.pem" --key "$admission/apiserver-client-key.pem"
}

no_verdict() { # COMMAND...: it fails, by whatever way the connection ends
  local said
  if said=$("$@" 2>&1) || [[ $said == *allowed* ]]; then
    echo "expected no answer, got '$said'" && return 1
  fi
}

work='' service=''
clean_up() {
  [[ -z $service ]] || kill -KILL "$service" 2>/dev/null
  [[ -z $work ]] || rm -rf "$work"
}

[[ ${1:-} != --help ]] || { usage; exit 0; }
(($# < 2)) || fail "expected one file, got $*"
for tool in curl ldd; do command -v "$tool" >/dev/null || fail "expected $tool on this machine"; done
enter=(chroot)
((EUID == 0)) || enter=(unshare --user --map-root-user chroot)

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d)
jail=$work/root
admission=$jail/etc/kubernetes/admission
port=$(free_port)
admin_port=$(free_port)

executable=${1:-}
if [[ -z $executable ]]; then
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) fail "expected x86_64 or aarch64, got $(uname -m)" ;;
  esac
  executable=$root/build/image-checker-linux-$arch
  check 'is built' "$root/scripts/build-executable.sh" "$arch"
  check 'has the checksum that lies beside it' \
    env -C "$root/build" sha256sum --check --quiet "$(basename "$executable").sha256"
fi
[[ -x $executable ]] || fail "expected an executable at $executable"

make_root "$executable"
check 'there is no Node, no shell and no package where it runs' only_libraries
check 'says how it is used' contains 'Usage: image-checker' inside --help
check 'refuses a call that is wrong with exit code 2' fails_with 2 inside serve --confg x
check 'setup makes an installation' inside setup --port "$port" --admin-port "$admin_port"
check 'setup overwrites nothing' fails_with 2 inside setup
check 'doctor finds nothing wrong with the files' contains ' 0 failures' inside doctor --no-live
check 'doctor finds that nobody listens, with exit code 1' fails_with 1 inside doctor

"${enter[@]}" "$jail" /usr/local/bin/image-checker serve --config /etc/image-checker/config.yaml \
  >"$work/serve.log" 2>&1 &
service=$!
check 'serve is ready' until_ready
check 'allows what the rules allow' contains '"allowed":true' as_apiserver docker.io/nginx
check 'denies what they deny, and says why' contains 'not trusted image!' as_apiserver quay.io/nginx
check 'denies an image that nobody can read' contains '"allowed":false' as_apiserver 'UPPER/case:?'
check 'answers nobody without a certificate' no_verdict review docker.io/nginx
check 'doctor finds nothing wrong with the service' contains ' 0 failures' inside doctor
check 'certs renew makes new certificates' inside certs renew
check 'certs show finds them good' inside certs show
check 'allows with the new certificates' contains '"allowed":true' as_apiserver docker.io/busybox
kill -TERM "$service"
wait "$service"
ended=$? service=''
check 'ends on SIGTERM with exit code 0' equal 0 "$ended"

sum_up

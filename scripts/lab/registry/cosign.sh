#!/usr/bin/env bash
# Runs a real cosign against a registry of the lab, and nothing else.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
source "$here/../lib.sh"

usage() {
  cat <<'END'
usage: scripts/lab/registry/cosign.sh --state DIR 2.5|3.1 ARGUMENT...

Runs that version of cosign with the CA and the credentials (user pusher) of the registry that
up.sh started in DIR. COSIGN_PASSWORD is empty unless it is set. Whatever is not on loopback is out
of its reach, so it has to be told to leave the public instances alone:

  cosign.sh --state DIR 2.5 generate-key-pair --output-key-prefix k
  cosign.sh --state DIR 2.5 sign --key k.key --tlog-upload=false -y IMAGE@sha256:...
  cosign.sh --state DIR 3.1 sign --key k.key --use-signing-config=false --tlog-upload=false -y IMAGE@sha256:...
  cosign.sh --state DIR 3.1 sign ... --new-bundle-format=false     the format of 2.x
  cosign.sh --state DIR 2.5 verify --key k.pub --insecure-ignore-tlog=true IMAGE
END
}

[[ ${1:-} != --help ]] || { usage; exit 0; }
[[ ${1:-} == --state && -d ${2:-} && ${3:-} =~ ^(2\.5|3\.1)$ ]] || refuse 'expected --state DIR and 2.5 or 3.1'
state=$(cd "$2" && pwd)
version=$3
shift 3

bin=$("$here/install.sh")
export SSL_CERT_FILE=$state/ca.pem DOCKER_CONFIG=$state/docker COSIGN_PASSWORD=${COSIGN_PASSWORD-}
export HTTPS_PROXY=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9 NO_PROXY=localhost,127.0.0.1
exec "$bin/cosign-$version" "$@"

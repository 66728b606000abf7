#!/usr/bin/env bash
# Brings up etcd and a real kube-apiserver on loopback, or restarts the kube-apiserver of a running lab.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

usage() {
  cat <<'END'
usage: scripts/lab/up.sh --state DIR [--admission-config FILE] [--port N] [--owner PID] [-- FLAG...]

Starts etcd and kube-apiserver with all their files in DIR (made when missing) and waits until
pods can be created. In a lab that runs already, the kube-apiserver alone is restarted, with the
admission configuration (or none) of this call. Prints the kubeconfig's path (stdout, one line).

--admission-config FILE   switches the ImagePolicyWebhook plugin on with this AdmissionConfiguration
--port N                  of the kube-apiserver; else a free one, and the same again on a restart
--owner PID               when this call starts the lab: it is taken down when that process ends
-- FLAG...                further flags for kube-apiserver

In DIR: kubeconfig (cluster admin), audit.log (JSON lines, pods at level Metadata),
kube-apiserver.log, etcd.log, kube-apiserver.pid, etcd.pid. scripts/lab/down.sh ends it.
END
}

state='' admission_config='' port='' owner='' flags=()
while (($# > 0)); do
  case $1 in
    --help) usage; exit 0 ;;
    --state) needs_value "$@"; state=$2; shift 2 ;;
    --admission-config) needs_value "$@"; admission_config=$2; shift 2 ;;
    --port) needs_value "$@"; port=$2; shift 2 ;;
    --owner) needs_value "$@"; owner=$2; shift 2 ;;
    --) shift; flags=("$@"); break ;;
    *) refuse "unknown argument $1" ;;
  esac
done
[[ -n $state ]] || refuse 'expected --state DIR'
[[ -z $port || $port =~ ^[0-9]+$ ]] || refuse "expected a port number, got $port"
if [[ -n $admission_config ]]; then
  [[ -r $admission_config ]] || die "cannot read the admission configuration $admission_config"
  admission_config=$(realpath "$admission_config")
fi

bin=$("$here/install.sh")
begin_up

# Runs ATTEMPT until it did not fail for a port that somebody else took in between.
until_port_is_ours() { # NAME ATTEMPT
  for _ in 1 2 3; do
    "$2" && return
    if is_running "$1" || ! grep -q 'address already in use' "$state/$1.log"; then break; fi
  done
  tail -n 20 "$state/$1.log" >&2
  die "$1 did not become ready" "the end of its log is above, all of it is in $state/$1.log"
}

# Waits for NAME to become what CHECK looks for, as long as it runs.
until_ready() { # NAME SECONDS CHECK
  local name=$1 check=$3
  # shellcheck disable=SC2317 # wait_until calls it
  is_ready_or_ended() { "$check" || ! is_running "$name"; }
  wait_until "$2" is_ready_or_ended && "$check"
}

etcd_is_ready() { grep -q 'ready to serve client requests' "$state/etcd.log"; }

start_etcd() {
  local url
  url=http://127.0.0.1:$(free_port)
  # The variable lets etcd 3.4 run on arm64 and means nothing elsewhere.
  ETCD_UNSUPPORTED_ARCH=arm64 start etcd "$bin/etcd" --data-dir "$state/etcd" \
    --listen-client-urls "$url" --advertise-client-urls "$url" --listen-peer-urls http://127.0.0.1:0
  until_ready etcd 30 etcd_is_ready || return 1
  echo "$url" >"$state/etcd.url"
}

write_files() {
  mkdir -p "$state/pki"
  [[ -s $state/token ]] || od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$state/token"
  printf '%s,admin,admin,"system:masters"\n' "$(<"$state/token")" >"$state/tokens.csv"
  [[ -s $state/pki/service-account.key ]] || node -e '
    const { privateKey } = require("node:crypto").generateKeyPairSync("ec", { namedCurve: "P-256" });
    process.stdout.write(privateKey.export({ type: "sec1", format: "pem" }));' >"$state/pki/service-account.key"
  cat >"$state/audit-policy.yaml" <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata # holds the annotations
    resources: [{ group: '', resources: [pods, pods/*] }]
  - level: None
END
}

# The certificate is the one that kube-apiserver makes for itself (--cert-dir), its CA with it.
write_kubeconfig() {
  cat >"$state/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters:
  - name: lab
    cluster: { server: 'https://127.0.0.1:$port', certificate-authority: pki/apiserver.crt }
users:
  - name: admin
    user: { token: '$(<"$state/token")' }
contexts:
  - name: lab
    context: { cluster: lab, user: admin, namespace: default }
current-context: lab
END
}

ask() { "$bin/kubectl" --kubeconfig "$state/kubeconfig" --request-timeout=2s get --raw "$1" 2>/dev/null; }

apiserver_is_ready() {
  [[ $(ask /readyz) == ok ]] && ask /api/v1/namespaces/default >/dev/null
}

# Without the ServiceAccount plugin pods need no service account, which nobody here would make.
# Without an endpoint reconciler no address but loopback is needed.
start_apiserver() {
  [[ -n $port ]] || port=$(free_port)
  write_kubeconfig
  local plugin=()
  [[ -z $admission_config ]] ||
    plugin=(--enable-admission-plugins=ImagePolicyWebhook "--admission-control-config-file=$admission_config")
  start kube-apiserver "$bin/kube-apiserver" \
    "--etcd-servers=$(<"$state/etcd.url")" \
    --bind-address=127.0.0.1 "--secure-port=$port" "--cert-dir=$state/pki" \
    --advertise-address=127.0.0.1 --endpoint-reconciler-type=none \
    --service-cluster-ip-range=10.0.0.0/24 \
    --service-account-issuer=https://kubernetes.default.svc \
    "--service-account-key-file=$state/pki/service-account.key" \
    "--service-account-signing-key-file=$state/pki/service-account.key" \
    "--token-auth-file=$state/tokens.csv" --authorization-mode=RBAC \
    --disable-admission-plugins=ServiceAccount \
    "--audit-log-path=$state/audit.log" "--audit-policy-file=$state/audit-policy.yaml" \
    "${plugin[@]}" "${flags[@]}"
  until_ready kube-apiserver 60 apiserver_is_ready || {
    [[ -n $given_port ]] || port=''
    return 1
  }
  echo "$port" >"$state/port"
}

# First of all: whatever ends the owner from now on, what is started below is taken down.
if [[ -n $owner ]] && ! is_running watcher; then
  start watcher "$here/down.sh" --state "$state" --when-gone "$owner"
fi
is_running etcd || until_port_is_ours etcd start_etcd
stop kube-apiserver
write_files
given_port=$port
[[ -n $port || ! -s $state/port ]] || port=$(<"$state/port")
until_port_is_ours kube-apiserver start_apiserver

end_up
say "kube-apiserver is ready on https://127.0.0.1:$port, its files are in $state"
echo "$state/kubeconfig"

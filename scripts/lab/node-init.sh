#!/usr/bin/env bash
# The first process of a node of node.sh: does kubeadm's part, starts etcd and the stand-in for the
# kubelet, and then the command. All ends with it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

[[ ${1:-} != --help ]] || { echo 'usage: called by scripts/lab/node.sh, see its --help'; exit 0; }
[[ $$ == 1 && -x /opt/lab/node ]] || refuse 'expected to be called by scripts/lab/node.sh'

kubernetes=/etc/kubernetes
pki=$kubernetes/pki
umask 022
mkdir -p $pki/etcd $kubernetes/manifests

# Certificates as kubeadm names them; elliptic curves, which are made faster.
new_key() { (umask 077; openssl ecparam -name prime256v1 -genkey -noout -out "$1"); }

authority() { # FILE NAME
  new_key "$pki/$1.key"
  openssl req -x509 -new -key "$pki/$1.key" -subj "/CN=$2" -days 3650 -out "$pki/$1.crt" \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,digitalSignature,keyCertSign' 2>/dev/null
}

certificate() { # FILE CA SUBJECT USAGE [SANS]
  local extensions="keyUsage=critical,digitalSignature
extendedKeyUsage=$4"
  [[ -z ${5:-} ]] || extensions+="
subjectAltName=$5"
  new_key "$pki/$1.key"
  openssl req -new -key "$pki/$1.key" -subj "$3" |
    openssl x509 -req -CA "$pki/$2.crt" -CAkey "$pki/$2.key" -set_serial "0x$(openssl rand -hex 8)" -days 365 \
      -extfile <(echo "$extensions") -out "$pki/$1.crt" 2>/dev/null
}

make_pki() {
  authority ca kubernetes
  authority front-proxy-ca front-proxy-ca
  authority etcd/ca etcd-ca
  local service=kubernetes.default.svc
  certificate apiserver ca /CN=kube-apiserver serverAuth \
    "DNS:cp-1,DNS:kubernetes,DNS:kubernetes.default,DNS:$service,DNS:$service.cluster.local,IP:10.96.0.1,IP:192.168.56.10"
  certificate apiserver-kubelet-client ca /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  certificate front-proxy-client front-proxy-ca /CN=front-proxy-client clientAuth
  certificate etcd/server etcd/ca /CN=cp-1 serverAuth,clientAuth DNS:localhost,IP:127.0.0.1
  certificate apiserver-etcd-client etcd/ca /O=system:masters/CN=kube-apiserver-etcd-client clientAuth
  certificate admin ca /O=system:masters/CN=kubernetes-admin clientAuth
  new_key $pki/sa.key
  openssl ec -in $pki/sa.key -pubout -out $pki/sa.pub 2>/dev/null
}

# As kubeadm, which keeps the admin's certificate nowhere else.
write_admin_conf() {
  data() { base64 -w0 "$1"; }
  cat >$kubernetes/admin.conf <<END
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: $(data $pki/ca.crt)
    server: https://192.168.56.10:6443
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
kind: Config
preferences: {}
users:
- name: kubernetes-admin
  user:
    client-certificate-data: $(data $pki/admin.crt)
    client-key-data: $(data $pki/admin.key)
END
  chmod 0600 $kubernetes/admin.conf
  rm $pki/admin.{crt,key}
}

start_etcd() {
  ETCD_UNSUPPORTED_ARCH=arm64 /opt/lab/bin/etcd --data-dir /var/lib/etcd \
    --listen-client-urls https://127.0.0.1:2379 --advertise-client-urls https://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:0 --cert-file $pki/etcd/server.crt --key-file $pki/etcd/server.key \
    --client-cert-auth --trusted-ca-file $pki/etcd/ca.crt >/var/log/etcd.log 2>&1 </dev/null &
}

start_kubelet() {
  /opt/lab/node /opt/image-checker/scripts/lab/kubelet.js --bin /opt/lab/bin --node-name cp-1 \
    >/var/log/kubelet.log 2>&1 </dev/null &
}

ask() { kubectl --request-timeout=2s get --raw "$1" 2>/dev/null; }
is_ready() { [[ $(ask /readyz) == ok ]] && ask /api/v1/namespaces/kube-system >/dev/null; }

# What the controller-manager would do. Without a token to mount a pod waits for none.
make_service_accounts() {
  local namespace
  for namespace in default kube-system; do
    kubectl create -f - >/dev/null <<END
{ "apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": false,
  "metadata": { "name": "default", "namespace": "$namespace" } }
END
  done
}

make_pki
write_admin_conf
start_etcd
(umask 077; cp /opt/lab/kube-apiserver.yaml $kubernetes/manifests/kube-apiserver.yaml)
start_kubelet
wait_until 90 is_ready || {
  tail -n 20 /var/log/kubelet.log /var/log/etcd.log /var/log/containers/*.log >&2 || true
  die 'the kube-apiserver did not become ready' 'its log, and that of the stand-in for the kubelet, are above'
}
make_service_accounts
say 'the node is ready'
"$@"

#!/usr/bin/env bash
# A control-plane node to try things on: its own root file system, network and processes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

usage() {
  cat <<'END'
usage: scripts/lab/node.sh [--manifest FILE] [--executable FILE] [COMMAND...]

Makes a control-plane node as kubeadm leaves one, runs COMMAND on it (default: bash) and takes it
away when COMMAND ends. etcd and a real kube-apiserver run on it, the latter as a static pod, by
scripts/lab/kubelet.js; kubectl is the cluster's admin. Needs root; nothing of it touches the
machine: /etc, /var, /tmp, /run, /root and /usr/local are the node's own, and so is the network, so
that manifests, paths and ports are the real ones. There is no systemd on it.

--manifest FILE     of kube-apiserver (default: kubeadm's for v1.20 among the tests' fixtures)
--executable FILE   what is /usr/local/bin/image-checker (default: this checkout's dist/main.js)

On the node: /etc/kubernetes/admin.conf, /etc/kubernetes/pki, /var/log/kubelet.log,
/var/log/containers, /var/log/etcd.log. This checkout is /opt/image-checker (read-only).
END
}

checkout=$(cd "$here/../.." && pwd)
manifest=$checkout/test/manifest/fixtures/kubeadm-v1.20.yaml executable=''
while (($# > 0)); do
  case $1 in
    --help) usage; exit 0 ;;
    --manifest) needs_value "$@"; manifest=$2; shift 2 ;;
    --executable) needs_value "$@"; executable=$2; shift 2 ;;
    -*) refuse "unknown argument $1" ;;
    *) break ;;
  esac
done
(($# > 0)) || set -- bash
((EUID == 0)) || die 'expected to run as root, which may make namespaces and mounts' 'run it with sudo'
for tool in unshare ip openssl setpriv; do
  command -v "$tool" >/dev/null || die "expected $tool on this machine" 'apt-get install util-linux iproute2 openssl'
done
unshare --mount --net --pid --uts --ipc --fork true 2>/dev/null ||
  die 'this machine does not permit namespaces (unshare --mount --net --pid --uts --ipc)' \
    'in a container, run it privileged'

LAB_NODE_BIN=$("$here/install.sh")
LAB_NODE_CHECKOUT=$checkout
LAB_NODE_PROGRAM=$(node -p process.execPath)
LAB_NODE_MANIFEST=$(realpath "$manifest")
LAB_NODE_EXECUTABLE=${executable:+$(realpath "$executable")}
export LAB_NODE_BIN LAB_NODE_CHECKOUT LAB_NODE_PROGRAM LAB_NODE_MANIFEST LAB_NODE_EXECUTABLE
exec unshare --mount --propagation private --net --pid --uts --ipc --fork --kill-child=KILL \
  "$here/node-root.sh" "$@"

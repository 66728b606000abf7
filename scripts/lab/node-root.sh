#!/usr/bin/env bash
# Called by node.sh in new namespaces: builds the node's root file system, and goes there for good.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

[[ ${1:-} != --help ]] || { echo 'usage: called by scripts/lab/node.sh, see its --help'; exit 0; }
[[ $$ == 1 && -n ${LAB_NODE_BIN:-} ]] || refuse 'expected to be called by scripts/lab/node.sh'

root=/mnt # in this mount namespace alone
mount -t tmpfs -o mode=0755 lab-node "$root"
cd "$root"

show() { # FROM TO: read-only
  if [[ -d $1 ]]; then mkdir -p "$root$2"; else mkdir -p "$(dirname "$root$2")"; : >"$root$2"; fi
  mount --bind "$1" "$root$2"
  mount -o remount,bind,ro "$root$2"
}

show /usr /usr
for name in bin sbin lib lib32 lib64; do
  if [[ -L /$name ]]; then cp -a "/$name" .; elif [[ -d /$name ]]; then show "/$name" "/$name"; fi
done
mount -t tmpfs -o mode=0755 lab-node usr/local
mkdir -p usr/local/{bin,sbin,share/ca-certificates} opt etc var/{log,lib,cache,tmp} tmp run root home dev proc mnt old
chmod 1777 tmp var/tmp
chmod 0700 root
ln -s /run var/run

# Of the machine's own configuration only what programs need to run, and users to be added to.
for name in passwd group shadow gshadow login.defs default nsswitch.conf ld.so.cache ld.so.conf \
  ld.so.conf.d alternatives ssl ca-certificates protocols services localtime terminfo bash.bashrc pam.d security; do
  [[ ! -e /etc/$name ]] || cp -a "/etc/$name" etc/
done
printf '127.0.0.1 localhost\n::1 localhost\n192.168.56.10 cp-1\n' >etc/hosts
echo cp-1 >etc/hostname
echo cp-1 >/proc/sys/kernel/hostname

mount -t tmpfs -o mode=0755 lab-node dev
mkdir dev/pts dev/shm
for name in null zero full random urandom tty; do : >"dev/$name"; mount --bind "/dev/$name" "dev/$name"; done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for link in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -s "/proc/self/${link#*:}" "dev/${link%%:*}"; done
mount -t proc proc proc

show "$LAB_NODE_CHECKOUT" /opt/image-checker
show "$LAB_NODE_BIN" /opt/lab/bin
show "$LAB_NODE_PROGRAM" /opt/lab/node
show "$LAB_NODE_MANIFEST" /opt/lab/kube-apiserver.yaml
ln -s /opt/lab/bin/kubectl usr/local/bin/kubectl
if [[ -n $LAB_NODE_EXECUTABLE ]]; then
  show "$LAB_NODE_EXECUTABLE" /usr/local/bin/image-checker
else
  # shellcheck disable=SC2016 # of the script that is written
  printf '#!/bin/sh\nexec /opt/lab/node /opt/image-checker/dist/main.js "$@"\n' >usr/local/bin/image-checker
  chmod 0755 usr/local/bin/image-checker
fi

ip link set lo up
ip address add 192.168.56.10/32 dev lo

pivot_root . old
cd /root
umount --lazy /old
rmdir /old
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "TERM=${TERM:-dumb}" \
  KUBECONFIG=/etc/kubernetes/admin.conf /opt/image-checker/scripts/lab/node-init.sh "$@"

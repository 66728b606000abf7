#!/usr/bin/env bash
# Takes a lab down: ends its kube-apiserver and etcd.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

usage() {
  cat <<'END'
usage: scripts/lab/down.sh --state DIR [--when-gone PID]

Ends the kube-apiserver and etcd that up.sh started in DIR. The files stay: logs to read, and
the data, with which up.sh --state DIR goes on. Nothing running is no error.

--when-gone PID   wait for that process to end, then do it (up.sh --owner uses this)
END
}

take_down 'kube-apiserver etcd' "$@"

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

state='' owner=''
while (($# > 0)); do
  case $1 in
    --help) usage; exit 0 ;;
    --state) needs_value "$@"; state=$2; shift 2 ;;
    --when-gone) needs_value "$@"; owner=$2; shift 2 ;;
    *) refuse "unknown argument $1" ;;
  esac
done
[[ -n $state ]] || refuse 'expected --state DIR'
[[ -d $state ]] || { say "nothing to take down: no folder $state"; exit 0; }
state=$(cd "$state" && pwd)

if [[ -n $owner ]]; then
  process=$(identity "$owner" || true)
  exec 8<> <(:) # never has anything to read: a pause without a child process, which would outlive a kill
  while is_alive "$process"; do read -rt 1 -u 8 || true; done
fi

exec 9>"$state/.lock"
flock -w 120 9 || die "another up.sh or down.sh is at work in $state"
[[ -n $owner ]] || stop watcher
for name in kube-apiserver etcd; do stop "$name"; done
[[ -z $owner ]] || rm -f "$state/watcher.pid"

#!/bin/sh
# Called as systemctl or journalctl on a node of the lab, which has no systemd: starts and ends what
# the unit of image-checker says, as the user that it says.
set -eu

unit=/etc/systemd/system/image-checker.service
log=/var/log/image-checker.log
pid=/run/image-checker.pid

value() { sed -n "s/^$1=//p" "$unit"; }
is_active() { [ -e "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }

start() {
  user=$(value User)
  # shellcheck disable=SC2046 # the words of the command
  setsid setpriv --reuid "$user" --regid "$(value Group)" --clear-groups --no-new-privs \
    $(value ExecStart) >>"$log" 2>&1 </dev/null &
  echo $! >"$pid"
}

stop() {
  is_active || return 0
  kill "$(cat "$pid")"
  while is_active; do sleep 0.1; done
}

case "$(basename "$0") $*" in
  'journalctl -u image-checker -o cat -n '*) tail -n "$6" "$log" ;;
  'systemctl daemon-reload') ;;
  'systemctl enable --now image-checker') start ;;
  'systemctl restart image-checker') stop; start ;;
  'systemctl stop image-checker') stop ;;
  'systemctl status image-checker') if is_active; then echo active; else echo inactive; exit 3; fi ;;
  *) echo "$(basename "$0"): the stand-in does not know: $*" >&2; exit 1 ;;
esac

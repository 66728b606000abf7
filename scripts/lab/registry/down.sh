#!/usr/bin/env bash
# Takes a registry down.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
source "$here/../lib.sh"

usage() {
  cat <<'END'
usage: scripts/lab/registry/down.sh --state DIR [--when-gone PID]

Ends the registry, and its token service, that up.sh started in DIR. The files stay, and with them
the images: up.sh --state DIR goes on with them. Nothing running is no error.

--when-gone PID   wait for that process to end, then do it (up.sh --owner uses this)
END
}

take_down 'registry token-service' "$@"

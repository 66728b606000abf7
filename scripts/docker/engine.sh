# shellcheck shell=bash
# A Docker Engine for a proof: the one that runs, or a private one for the time being. Sourced.

engine_install() { # installs from Debian what is missing of the commands
  local packages=()
  { command -v docker && command -v dockerd; } >/dev/null || packages+=(docker.io)
  engine_has_compose || packages+=(docker-compose)
  command -v curl >/dev/null || packages+=(curl)
  ((${#packages[@]} > 0)) || return 0
  echo "# installing ${packages[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  hash -r
}

engine_has_compose() {
  command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1
}

engine_runs() {
  docker version >/dev/null 2>&1
}

engine_start() { # FOLDER: exports DOCKER_HOST and sets engine_pid
  local folder=$1
  unset DOCKER_CONTEXT
  export DOCKER_HOST=unix://$folder/docker.sock
  # Nothing of /etc/docker/daemon.json, which may name another engine's folders and sockets.
  echo '{}' >"$folder/daemon.json"
  # No default bridge and no packet filter rules: nothing of this machine's network is touched.
  # Ports are published by docker-proxy, as they are on loopback in any case.
  dockerd --config-file "$folder/daemon.json" --host "$DOCKER_HOST" \
    --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/docker.pid" \
    --bridge none --iptables=false --ip-forward=false >"$folder/dockerd.log" 2>&1 &
  engine_pid=$!
  local tries
  for ((tries = 0; tries < 60; tries++)); do
    if engine_runs; then return 0; fi
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 1
  done
  tail -n 20 "$folder/dockerd.log" >&2
  return 1
}

engine_stop() { # FOLDER
  kill "$engine_pid" 2>/dev/null || true
  wait "$engine_pid" 2>/dev/null || true
  local mounted
  while read -r mounted; do
    umount "$mounted"
  done < <(awk -v under="$1/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r)
}

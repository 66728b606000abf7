#!/usr/bin/env bash
# Brings up a real registry (docker-registry 2.8) with TLS and passwords on loopback.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lib.sh
source "$here/../lib.sh"

usage() {
  cat <<'END'
usage: scripts/lab/registry/up.sh --state DIR [--auth basic|bearer|none] [--port N] [--owner PID]

Starts a registry with all its files in DIR (made when missing), and waits until it answers.
Prints its name for image references, localhost:PORT (stdout, one line). One that runs already in
DIR is left as it is.

--auth basic    (default) user and password with every request
--auth bearer   tokens, from a token service that is started beside it
--auth none     anybody may pull and push
--port N        of the registry; else a free one, and the same again the next time
--owner PID     it is taken down when that process ends

In DIR: host (localhost:PORT), ca.pem (what to trust), docker/config.json (user pusher),
puller.json (a config.json of user puller, who may only pull where --auth is bearer),
pusher.password, puller.password, registry.log (one line a request), token-service.log.
With --auth bearer: refresh-token (of user puller), and TOKEN_SECONDS in the environment says
for how long a token is good (default 60).
scripts/lab/registry/down.sh ends it.
END
}

state='' auth=basic port='' owner=''
while (($# > 0)); do
  case $1 in
    --help) usage; exit 0 ;;
    --state) needs_value "$@"; state=$2; shift 2 ;;
    --auth) needs_value "$@"; auth=$2; shift 2 ;;
    --port) needs_value "$@"; port=$2; shift 2 ;;
    --owner) needs_value "$@"; owner=$2; shift 2 ;;
    *) refuse "unknown argument $1" ;;
  esac
done
[[ -n $state ]] || refuse 'expected --state DIR'
[[ $auth == basic || $auth == bearer || $auth == none ]] || refuse "expected --auth basic, bearer or none, got $auth"
[[ -z $port || $port =~ ^[0-9]+$ ]] || refuse "expected a port number, got $port"

bin=$("$here/install.sh")
begin_up

# A CA, and one certificate for the registry, its token service and the tokens.
make_certificates() {
  [[ ! -s $state/server.pem ]] || return 0
  local names=DNS:localhost,DNS:registry.test,DNS:mirror.test,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=registry lab CA' \
    -addext keyUsage=critical,keyCertSign -keyout "$state/ca.key" -out "$state/ca.pem" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=registry lab' \
    -keyout "$state/server.key" -out "$state/server.csr" 2>/dev/null
  openssl x509 -req -in "$state/server.csr" -CA "$state/ca.pem" -CAkey "$state/ca.key" -days 30 -out "$state/server.pem" \
    -extfile <(printf 'subjectAltName=%s\nbasicConstraints=critical,CA:FALSE\n' "$names") 2>/dev/null
}

random_hex() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

make_users() {
  local user
  for user in pusher puller; do
    [[ -s $state/$user.password ]] || random_hex >"$state/$user.password"
    # The cost is the lowest there is: every request pays for it.
    USER_PASSWORD=$(<"$state/$user.password") perl -e '
      my $salt = join "", map { (".", "/", 0 .. 9, "A" .. "Z", "a" .. "z")[rand 64] } 1 .. 21;
      print "$ARGV[0]:", crypt($ENV{USER_PASSWORD}, "\$2b\$04\$${salt}u"), "\n"' "$user"
  done >"$state/htpasswd"
  [[ -s $state/refresh-token ]] || random_hex >"$state/refresh-token"
}

docker_config() { # USER
  local pair
  pair=$(printf '%s:%s' "$1" "$(<"$state/$1.password")" | base64 -w0)
  printf '{ "auths": { "%s": { "auth": "%s" } } }\n' "localhost:$port" "$pair"
}

auth_settings() {
  case $auth in
    none) ;;
    basic) printf 'auth: { htpasswd: { realm: registry lab, path: %s } }\n' "$state/htpasswd" ;;
    bearer)
      printf 'auth: { token: { realm: "https://localhost:%s/token", service: registry lab, issuer: registry lab, rootcertbundle: %s } }\n' \
        "$(<"$state/token-service.port")" "$state/ca.pem"
      ;;
  esac
}

write_settings() {
  cat >"$state/registry.yml" <<END
version: 0.1
log: { level: warn, accesslog: { disabled: false } }
storage: { filesystem: { rootdirectory: $state/data }, delete: { enabled: true } }
http: { addr: '127.0.0.1:$port', tls: { certificate: $state/server.pem, key: $state/server.key } }
END
  auth_settings >>"$state/registry.yml"
}

answers() { # PORT
  curl --silent --output /dev/null --max-time 2 --cacert "$state/ca.pem" "https://localhost:$1/v2/"
}

until_it_answers() { # NAME PORT
  # shellcheck disable=SC2317 # wait_until calls it
  answers_or_ended() { answers "$1" || ! is_running "$2"; }
  wait_until 30 answers_or_ended "$2" "$1" && is_running "$1" && return
  tail -n 20 "$state/$1.log" >&2
  die "$1 did not become ready" "the end of its log is above, all of it is in $state/$1.log"
}

start_token_service() {
  [[ -s $state/token-service.port ]] || free_port >"$state/token-service.port"
  start token-service node "$here/token-service.js" "$state"
  until_it_answers token-service "$(<"$state/token-service.port")"
}

# docker-registry takes every variable of this kind for a setting, also those of other programs.
forget_registry_variables() {
  local variable
  for variable in "${!REGISTRY_@}"; do unset "$variable"; done
}

if [[ -n $owner ]] && ! is_running watcher; then
  start watcher "$here/down.sh" --state "$state" --when-gone "$owner"
fi
if ! is_running registry; then
  [[ -n $port || ! -s $state/host ]] || port=$(sed 's/.*://' "$state/host")
  [[ -n $port ]] || port=$(free_port)
  make_certificates
  make_users
  mkdir -p "$state/docker"
  docker_config pusher >"$state/docker/config.json"
  docker_config puller >"$state/puller.json"
  [[ $auth != bearer ]] || start_token_service
  write_settings
  forget_registry_variables
  start registry "$bin/docker-registry-2.8" serve "$state/registry.yml"
  until_it_answers registry "$port"
  echo "localhost:$port" >"$state/host"
  say "a registry is ready on localhost:$port, its files are in $state"
fi
end_up
cat "$state/host"

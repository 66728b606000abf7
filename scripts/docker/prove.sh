#!/usr/bin/env bash
# Proves Dockerfile and docker-compose.yml with a real Docker Engine.
set -euo pipefail
here=$(CDPATH='' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(CDPATH='' cd -P -- "$here/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../checks.sh
source "$root/scripts/checks.sh"
# shellcheck source-path=SCRIPTDIR source=engine.sh
source "$here/engine.sh"

# Seconds. A health check every 10 s, the first after 10 s.
readonly HEALTHY_WITHIN=60
# Seconds: nothing is in flight, so nothing is waited for; a process that is killed takes 15.
readonly STOPPED_WITHIN=5
readonly PORT=1234
readonly USER_ID=65532

usage() {
  cat <<END
usage: scripts/docker/prove.sh [-H HOST]

Builds the image, runs docker-compose.yml and checks what both promise. Uses the Docker Engine of
HOST (unix:///...), else the one that runs on this machine, else a private one that it starts and
removes. On Debian as root it installs docker.io and docker-compose when they are missing. Where
the base image cannot be pulled, scripts/docker/base-image.sh makes one. The build uses this
machine's network, npm registry, CA file and proxy. Port $PORT on 127.0.0.1 has to be free.

Prints a line per check and ends with 'N passed, N failed'; exits 1 if any failed.
END
}

compose() {
  local command=(docker-compose)
  command -v docker-compose >/dev/null || command=(docker compose)
  # Version 1 with its own builder: the one of a client may want plugins that are not there.
  COMPOSE_DOCKER_CLI_BUILD=0 IMAGE_CHECKER_IMAGE=$image "${command[@]}" --project-name "$project" \
    --file "$root/docker-compose.yml" --file "$work/override.yml" "$@"
}

container() { # SERVICE: its id
  docker ps -aq --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$1"
}

# What the checks need

make_base_image() {
  if docker image inspect "$node_image" >/dev/null 2>&1; then return; fi
  if timeout 600 docker pull -q "$node_image" >/dev/null 2>&1; then return; fi
  echo "# $node_image cannot be pulled: making one"
  made_base=1
  "$here/base-image.sh" "$node_image"
}

make_build_image() { # The base image and this machine's way to the npm registry.
  local context=$work/build-image ca variable
  mkdir "$context"
  ca=$(npm config get cafile 2>/dev/null)
  [[ -f $ca ]] || ca=${NODE_EXTRA_CA_CERTS-}
  {
    echo "FROM $node_image"
    # The stages made from it inherit the label, and are found by it in the end.
    echo "LABEL $label"
    echo "ENV NPM_CONFIG_REGISTRY=$(npm config get registry 2>/dev/null)"
    for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
      [[ -z ${!variable-} ]] || echo "ENV $variable=${!variable}"
    done
    if [[ -f $ca ]]; then
      cp "$ca" "$context/ca.pem"
      echo 'COPY ca.pem /usr/local/share/build-ca.pem'
      echo 'ENV NPM_CONFIG_CAFILE=/usr/local/share/build-ca.pem'
    fi
  } >"$context/Dockerfile"
  docker build -t "$build_image" "$context" >"$work/build.log" 2>&1 \
    || { cat "$work/build.log" >&2 && return 1; }
}

write_override() {
  cat >"$work/override.yml" <<END
services:
  setup:
    build:
      context: '$root'
      network: host
END
}

review() { # IMAGE [CURL OPTION...]
  local body
  printf -v body '{"apiVersion":"imagepolicy.k8s.io/v1alpha1","kind":"ImageReview","spec":{"containers":[{"image":"%s"}],"namespace":"default"}}' "$1"
  curl -sS --noproxy '*' --max-time 10 --cacert "$work/admission/external-cert.pem" "${@:2}" \
    -H 'Content-Type: application/json' -d "$body" "https://127.0.0.1:$PORT/check-image"
}

review_as_apiserver() { # IMAGE
  review "$1" --cert "$work/admission/apiserver-client-cert.pem" \
    --key "$work/admission/apiserver-client-key.pem"
}

in_volumes() { # COMMAND...: with the three volumes, as the user of the image
  docker run --rm --network none --read-only --volumes-from "$(container setup):ro" \
    --entrypoint "$1" "$image" "${@:2}"
}

digests() {
  in_volumes find /etc/kubernetes/admission /etc/image-checker -type f -exec sha256sum {} + | sort -k 2
}

# The checks

image_is_built() {
  compose build --build-arg "BUILD_IMAGE=$build_image" setup \
    || { echo 'the build failed' && return 1; }
}

image_runs_subcommands() {
  local help
  help=$(docker run --rm --network none --read-only "$image" setup --help) || return 1
  equal 'Usage: image-checker setup [options]' "${help%%$'\n'*}"
}

image_has_no_npm() {
  equal '' "$(docker run --rm --network none --user 0 --entrypoint find "$image" \
    / -xdev \( -name npm -o -name npx \) -print)"
}

setup_ran_once() {
  equal 'exited 0 0' \
    "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}' "$(container setup)")"
}

service_gets_healthy() {
  local health deadline=$((SECONDS + HEALTHY_WITHIN))
  while ((SECONDS < deadline)); do
    health=$(docker inspect -f '{{.State.Health.Status}}' "$(container image-checker)") || return 1
    if [[ $health == healthy ]]; then return 0; fi
    sleep 1
  done
  docker logs "$(container image-checker)"
  equal healthy "$health"
}

kubeconf_names_the_published_port() {
  grep "server: \"\?https://127.0.0.1:$PORT/check-image" "$work/admission/kubeconf" \
    || { cat "$work/admission/kubeconf" && return 1; }
}

answers() { # IMAGE PART...: what the answer has to hold
  local answer part
  answer=$(review_as_apiserver "$1") || return 1
  for part in "${@:2}"; do
    [[ $answer == *"$part"* ]] || { echo "expected $part, got $answer" && return 1; }
  done
}

refuses_no_certificate() {
  local answer code=0
  answer=$(review docker.io/nginx) || code=$?
  # curl: 35 the handshake failed; 55, 56 the alert came after its own half, as in TLS 1.3
  [[ -z $answer && $code =~ ^(35|55|56)$ ]] || { echo "got $code: $answer" && return 1; }
}

listens_on_loopback_only() {
  equal "127.0.0.1:$PORT" "$(docker port "$(container image-checker)" | sed 's/.* -> //')"
}

status_lines() { # of process 1 in the service's container
  docker exec "$(container image-checker)" cat /proc/1/status | grep -E "$1" | tr -s '\t\n' ' '
}

runs_as_nobody() {
  equal "Uid: $USER_ID $USER_ID $USER_ID $USER_ID Gid: $USER_ID $USER_ID $USER_ID $USER_ID " \
    "$(status_lines '^(Uid|Gid):')"
}

holds_no_capability() {
  local none=0000000000000000
  equal "CapInh: $none CapPrm: $none CapEff: $none CapBnd: $none CapAmb: $none NoNewPrivs: 1 " \
    "$(status_lines '^(Cap...|NoNewPrivs):')"
}

cannot_write() { # USER FILE: and it is not for its permissions
  local output
  if output=$(docker exec -u "$1" "$(container image-checker)" touch "$2" 2>&1); then
    echo "wrote $2" && return 1
  fi
  [[ $output == *'Read-only file system'* ]] || { echo "got: $output" && return 1; }
}

keys_are_private() {
  local expected="600 $USER_ID apiserver-client-key.pem
600 $USER_ID ca-key.pem
600 $USER_ID server-key.pem"
  equal "$expected" "$(in_volumes find /etc/kubernetes/admission /etc/image-checker \
    -name '*key*' -printf '%m %U %f\n' | sort -k 3)"
}

service_sees_its_own_key_only() {
  equal /etc/image-checker/server-key.pem \
    "$(docker exec "$(container image-checker)" find /etc/image-checker /etc/kubernetes -name '*key*')"
}

takes_changed_rules() { # as the README does it
  local rules deadline=$((SECONDS + 20))
  rules=$(container setup):/etc/image-checker/rules.yaml
  docker cp "$rules" "$work/rules.yaml" || return 1
  sed -i 's/^\( *\)- docker\.io$/&\n\1- quay.io/' "$work/rules.yaml"
  answers quay.io/team/app '"allowed":false' || return 1
  docker cp "$work/rules.yaml" "$rules" || return 1
  until answers quay.io/team/app '"allowed":true'; do
    ((SECONDS < deadline)) || { docker logs --tail 5 "$(container image-checker)" && return 1; }
    sleep 1
  done
}

second_up_changes_nothing() {
  local before after
  before=$(digests) && [[ -n $before ]] || return 1
  compose up -d || return 1
  after=$(digests) || return 1
  equal "$before" "$after" && setup_ran_once
}

stops_on_sigterm() {
  local id began=$SECONDS
  id=$(container image-checker)
  compose stop image-checker || return 1
  equal 'exited 0' "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$id")" || return 1
  ((SECONDS - began <= STOPPED_WITHIN)) || { echo "took $((SECONDS - began)) s" && return 1; }
}

down_leaves_nothing() {
  compose down -v || return 1
  local mine="label=com.docker.compose.project=$project"
  equal '' "$(docker ps -aq --filter "$mine" && docker volume ls -q --filter "$mine" \
    && docker network ls -q --filter "$mine")"
}

prove() {
  check 'docker-compose.yml is valid' compose config -q
  check 'the image is built' image_is_built
  ((failed == 0)) || return 0
  check 'the image runs subcommands' image_runs_subcommands
  check 'the image holds no npm' image_has_no_npm
  check 'compose brings it up' compose up -d
  check 'setup ran once and ended with 0' setup_ran_once
  check "the service is healthy within $HEALTHY_WITHIN s" service_gets_healthy
  check "kube-apiserver's files can be copied out" \
    docker cp "$(container setup):/etc/kubernetes/admission" "$work/admission"
  check 'the kubeconf names the published port' kubeconf_names_the_published_port
  check 'docker.io/nginx is allowed' answers docker.io/nginx '"allowed":true'
  check 'nginx is denied' answers nginx '"allowed":false' 'not trusted image!'
  check 'a client without a certificate is refused' refuses_no_certificate
  check 'the port is published on loopback only' listens_on_loopback_only
  check 'the process runs as a user who is not root' runs_as_nobody
  check 'the process holds no capability and can gain none' holds_no_capability
  check 'root cannot write to the root file system' cannot_write 0 /app/x
  check 'the service cannot write to its own folder' cannot_write "$USER_ID" /etc/image-checker/x
  check 'private keys are 0600' keys_are_private
  check 'the service sees no key but its own' service_sees_its_own_key_only
  check 'changed rules are taken' takes_changed_rules
  check 'a second up changes no file' second_up_changes_nothing
  check 'the service is healthy after it' service_gets_healthy
  check 'docker.io/nginx is allowed with the same certificate' answers docker.io/nginx '"allowed":true'
  check "SIGTERM ends it with 0 within $STOPPED_WITHIN s" stops_on_sigterm
  check 'down -v leaves nothing' down_leaves_nothing
}

clean_up() {
  if engine_runs; then
    compose down -v >/dev/null 2>&1 || true
    if [[ -z $engine_pid ]]; then
      docker rmi "$image" "$build_image" >/dev/null 2>&1 || true
      # A build that failed leaves its container.
      docker container prune -f --filter "label=$label" >/dev/null 2>&1 || true
      docker image prune -f --filter "label=$label" >/dev/null 2>&1 || true
      [[ -z $made_base ]] || docker rmi "$node_image" >/dev/null 2>&1 || true
    fi
  fi
  if [[ -n $engine_pid ]]; then engine_stop "$work"; fi
  rm -rf --one-file-system "$work"
}

while (($# > 0)); do
  case $1 in
    -h | --help) usage && exit 0 ;;
    -H)
      [[ -n ${2-} ]] || fail 'expected an engine after -H, got nothing'
      export DOCKER_HOST=$2
      shift
      ;;
    *) fail "expected no argument but -H, got $1" ;;
  esac
  shift
done
for needed in node npm; do
  command -v "$needed" >/dev/null || fail "expected $needed on the PATH, got nothing"
done
if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
  fail "expected port $PORT on 127.0.0.1 to be free, got something that answers"
fi

project=image-checker-prove-$$
image=image-checker:prove-$$
build_image=image-checker-prove-build:$$
label=image-checker.prove=$$
node_image=$(sed -n 's/^ARG NODE_IMAGE=//p' "$root/Dockerfile")
engine_pid=
made_base=
work=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

engine_install
if engine_runs; then
  echo '# using the engine that runs'
else
  [[ -z ${DOCKER_HOST-} ]] || fail "expected an engine at $DOCKER_HOST, got none"
  echo '# starting a private engine'
  engine_start "$work"
fi
make_base_image
make_build_image
write_override
prove
docker images --format '# image size: {{.Size}}' "$image"
sum_up

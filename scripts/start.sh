#!/bin/sh
# The service from a checkout: makes .local/ when it is not there, tells how to ask, and serves.
set -eu

root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd)
# NAME in single quotes for a shell, whatever is in it.
quote() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

admission=$root/.local/admission
service=$root/.local/image-checker

"$root/scripts/setup.sh" --dir "$admission" --service-dir "$service" --if-missing >/dev/null

url=$(sed -n 's/^ *server: *"\{0,1\}\(https:[^"]*\)"\{0,1\} *$/\1/p' "$admission/kubeconf")
review='{"apiVersion":"imagepolicy.k8s.io/v1alpha1","kind":"ImageReview","spec":{"containers":[{"image":"nginx"}],"namespace":"default"}}'

cat <<END
Rules: $service/rules.yaml
Once it serves, ask it from another terminal:

curl --cacert $(quote "$admission/external-cert.pem") --cert $(quote "$admission/apiserver-client-cert.pem") --key $(quote "$admission/apiserver-client-key.pem") -H 'Content-Type: application/json' -d '$review' $url

END

exec node "$root/dist/main.js" serve --config "$service/config.yaml" "$@"

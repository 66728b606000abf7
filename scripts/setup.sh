#!/bin/sh
# image-checker setup from a checkout, with nothing but Node present: installs and builds what is
# missing, then runs `image-checker setup` with the arguments given here.
set -eu

fail() {
    echo "image-checker: error: $1" >&2
    echo "image-checker: hint: $2" >&2
    exit 2
}

# The checkout, whatever the current folder is and however many links lead here.
self=$0
while [ -L "$self" ]; do
    link=$(readlink "$self")
    case $link in
        /*) self=$link ;;
        *) self=$(dirname "$self")/$link ;;
    esac
done
root=$(CDPATH='' cd -P -- "$(dirname -- "$self")/.." && pwd)

node=$(command -v node) || fail 'expected node on the PATH, got nothing' 'install Node 20.19 or newer'
version=$("$node" --version)
major=${version#v}
major=${major%%.*}
minor=${version#v*.}
minor=${minor%%.*}
if [ "$major" -lt 20 ] || { [ "$major" -eq 20 ] && [ "$minor" -lt 19 ]; }; then
    fail "expected Node 20.19 or newer, got $version" 'install a newer Node, or put it first on the PATH'
fi

newer() { # is any file of $2... newer than $1, or $1 not there?
    mark=$1
    shift
    [ ! -e "$mark" ] || [ -n "$(find "$@" -type f -newer "$mark" | head -n 1)" ]
}

(
    cd "$root"
    if newer node_modules/.package-lock.json package-lock.json; then
        echo 'image-checker: installing its packages' >&2
        npm ci --include=dev --no-audit --no-fund --loglevel=error >&2
    fi
    if newer dist/main.js src package.json tsconfig.json tsconfig.build.json; then
        echo 'image-checker: building' >&2
        npm run --silent build >&2
    fi
)

exec "$node" "$root/dist/main.js" setup "$@"

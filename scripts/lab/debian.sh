# shellcheck shell=bash
# Debian packages without root: fetched through package lists of their own and unpacked, not
# installed, so neither the machine's apt configuration nor its services change. Sourced behind lib.sh.

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# Where this machine gets Debian itself from; any release will do, a mirror has them all.
machines_mirror() {
  # shellcheck disable=SC2016 # fields of apt's
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' |
    awk '$1 ~ /\/debian\/?$/ { sub(/\/$/, "", $1); print $1; exit }'
}

# Prints the mirror to fetch from.
debian_mirror() { # HINT: for a machine that is no Debian
  [[ -x /usr/bin/apt-get && -r $debian_keyring ]] ||
    die "expected a Debian machine (apt-get and $debian_keyring)" "$1"
  local mirror=${IMAGE_CHECKER_LAB_MIRROR:-$(machines_mirror)}
  [[ -n $mirror ]] ||
    die 'found no Debian mirror in the apt sources of this machine' 'set IMAGE_CHECKER_LAB_MIRROR to its URL'
  echo "$mirror"
}

# apt-get with the lists and the cache in $work.
apt() {
  apt-get --quiet --quiet \
    -o "Dir::Etc::SourceList=${work:?}/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" \
    -o "APT::Sandbox::User=$(id -un)" -o APT::Update::Error-Mode=any \
    -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

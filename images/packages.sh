#!/usr/bin/env bash
# Installs the Debian packages the private engine and the images need and this machine lacks; touches nothing else.
# `packages.sh browser` gets the browser as well in which the tests look at reports; it is big, so only they ask for it.
set -euo pipefail

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need dockerd docker.io
need docker docker.io
need iptables iptables
need debootstrap debootstrap
need ip iproute2
need nsenter util-linux
need flock util-linux
need pgrep procps
need git git
need patch patch
need openssl openssl
need losetup mount
need mkfs.ext4 e2fsprogs
need mkfs.xfs xfsprogs
need mkfs.btrfs btrfs-progs
[[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
if [[ ${1:-} == browser ]] && ! command -v chromium chromium-browser google-chrome >/dev/null; then
    missing+=(chromium fonts-dejavu-core)
fi
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
((${#missing[@]})) || exit 0

if [[ $EUID != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "packages: not installed here: ${missing[*]} (it takes root on Debian or Ubuntu); going on without" >&2
    exit 0
fi
echo "packages: installing ${missing[*]}" >&2
# RUNLEVEL=1 keeps the packages from starting a daemon of their own.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get -qq update || true # another source may be out of order; what matters shows below
# Newer releases keep the client in a package of its own.
if ! command -v docker >/dev/null && apt-cache show docker-cli >/dev/null 2>&1; then missing+=(docker-cli); fi
apt-get -qq -o DPkg::Lock::Timeout=180 install -y --no-install-recommends "${missing[@]}" >/dev/null

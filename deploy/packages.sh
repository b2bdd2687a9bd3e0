#!/bin/sh
# packages.sh build|test: installs Debian packages that are missing. Needs root only when something is missing.
set -eu
build="cmake ninja-build pkg-config gcc libc6-dev git libzmq3-dev libmsgpack-dev libuv1-dev libsndfile1-dev libebur128-dev libcmocka-dev libsqlite3-dev libfyaml-dev libjansson-dev libxxhash-dev libmicrohttpd-dev libxml2-dev libsodium-dev libmd-dev libpango1.0-dev libcairo2-dev fonts-dejavu-core"
test="clang libclang-rt-14-dev afl++ ffmpeg sox flac btrfs-progs mediainfo sndfile-programs dpkg-dev systemd systemd-container slurm-wlm munge python3 python3-numpy python3-jsonschema xxhash qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross prometheus python3-yaml patchelf groff-base procps iproute2 zsh fish file chromium"
case "${1:-}" in
build) wanted=$build ;;
test) wanted="$build $test" ;;
*) echo "usage: packages.sh build|test" >&2; exit 2 ;;
esac
missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
    echo "These packages are missing; as root: apt-get install$missing" >&2
    exit 3
fi
echo "Installing:$missing"
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null

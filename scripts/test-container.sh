#!/usr/bin/env bash
# What the image of examples/container/Dockerfile holds, made without a container engine and run by chroot (as root): the
# static binary, /tmp and nothing else, the data mounted without write permission, as somebody who is not root.
# Usage: scripts/test-container.sh STATIC_BINARY
set -euo pipefail
binary=$(realpath "$1")
cd "$(dirname "$0")/.."
# What the Dockerfile copies and starts is what is tried here.
grep -q '^FROM scratch$' examples/container/Dockerfile
grep -q '^ENTRYPOINT \["/requant", "bids"\]$' examples/container/Dockerfile
root=$(mktemp -d)
unmount() {
    umount "$root/data" 2>/dev/null || true
    rm -rf "$root" "$root.data"
}
trap unmount EXIT
mkdir -p "$root/tmp" "$root/data" "$root/out"
chmod 1777 "$root/tmp"
chmod 755 "$root"
cp "$binary" "$root/requant"
"$binary" simulate --out "$root.data" --subjects 2 >/dev/null
mount --bind "$root.data" "$root/data"
mount -o remount,ro,bind "$root/data"
chown 65534:65534 "$root/out"
app() { chroot --userspec=65534:65534 "$root" /requant bids "$@"; }
app --version
app /data /out participant --engine cpu --participant-label 0001 0002
app /data /out group
test -s "$root/out/group.html"
test -s "$root/out/sub-0001/figures/sub-0001_voi-acc_desc-mapfit_svs.svg"
echo "passed: $(du -sh --apparent-size "$root/requant" | cut -f1) in an image of one file"

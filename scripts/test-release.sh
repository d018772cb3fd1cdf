#!/usr/bin/env bash
# Usage: scripts/test-release.sh BINARY [musl|gnu]
# A binary that is given away, where its users have nothing: `musl` in an empty root, `gnu` in the file system of the oldest
# Debian that the mirror has (debootstrap; RELEASE and MIRROR choose another one, ROOTFS a folder with one).
set -euo pipefail
binary=$(realpath "$1")
kind=${2:-musl}
root=$(mktemp -d)
trap 'rm -rf "$root" "$root.log"' EXIT

if [ "$kind" = gnu ]; then
    if [ -n "${ROOTFS:-}" ]; then
        cp -a "$ROOTFS/." "$root/"
    else
        for release in ${RELEASE:-stretch buster bullseye bookworm}; do
            debootstrap --variant=minbase "$release" "$root" ${MIRROR:+"$MIRROR"} >"$root.log" 2>&1 && break
            rm -rf "$root"
            mkdir "$root"
        done
    fi
    chroot "$root" /bin/sh -c 'cat /etc/debian_version; ldd --version | head -1'
fi
cp "$binary" "$root/requant"
mkdir -p "$root/work"
inside() { chroot "$root" /requant "$@"; }

inside --version
inside simulate --out /work/demo --subjects 3
inside run /work/demo --engine cpu --out /work/results | tee "$root/said"
grep -q '^3 rows: 3 ok, 0 failed' "$root/said"
test -s "$root/work/results/report.html"
inside compare /work/results --truth /work/demo/truth/truth.csv > "$root/compared"
grep -q tNAA "$root/compared"
inside bids /work/demo /work/out participant --engine cpu --participant-label 0001
test -s "$root/work/out/sub-0001.html"
inside devices | tee "$root/devices"
if [ "$kind" = musl ]; then
    # Who asks for a GPU is told why there is none, and which binary has one.
    if inside run /work/demo --engine gpu --out /work/gpu 2>"$root/refused"; then exit 1; fi
    grep -q 'without the GPU engine' "$root/refused"
    cat "$root/refused"
fi
echo "passed: $kind"

#!/usr/bin/env bash
# The files of a release for one target: archive and checksum in target/release-files/.
# Usage: scripts/build-release.sh [TARGET]        (default: that of this machine; PROFILE=release|dist, default dist)
#
#   x86_64-unknown-linux-gnu     for glibc 2.17 and newer; loads Vulkan, so it has the GPU engine
#   aarch64-unknown-linux-gnu    likewise
#   x86_64-unknown-linux-musl    static: runs anywhere, without the GPU engine (a static binary cannot load a driver)
#   aarch64-unknown-linux-musl   likewise
#   x86_64-apple-darwin, aarch64-apple-darwin, x86_64-pc-windows-msvc: on such a machine
#
# Linux targets are linked by zig (PyPI: ziglang, cargo-zigbuild), which it installs into target/release-tools. Where rustup
# cannot fetch a target's standard library, it is built from its sources if the compiler has them (`rust-src`, Debian's
# `rust-web-src`): CARGO, RUSTC and RUSTDOC may name such a compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
rustc=${RUSTC:-rustc}
profile=${PROFILE:-dist}
target=${1:-$("$rustc" -vV | sed -n 's/^host: //p')}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
built=${CARGO_TARGET_DIR:-target}
files=target/release-files
# Largest binary that is given away.
most_bytes=30000000
mkdir -p "$files"

arguments=(--locked --profile "$profile" --bin requant)
case "$target" in
    *-linux-musl) arguments+=(--no-default-features --features cli) ;;
esac

has_std() { [ -d "$("$rustc" --print sysroot)/lib/rustlib/$target/lib" ]; }
if ! has_std && command -v rustup >/dev/null && [ "$rustc" = rustc ]; then
    rustup target add "$target" || true
fi
if ! has_std; then
    if [ ! -f "$("$rustc" --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ]; then
        echo "the standard library of $target is not there, nor are its sources: rustup target add $target" >&2
        exit 1
    fi
    echo "building the standard library of $target from its sources"
    arguments+=(-Zbuild-std=std,panic_abort)
    # For building the standard library alone; the sources of requant need nothing of it.
    export RUSTC_BOOTSTRAP=1
fi

case "$target" in
    *-linux-gnu | *-linux-musl)
        tools=target/release-tools
        if ! "$tools/bin/python" -c 'import ziglang' 2>/dev/null || [ ! -x "$tools/bin/cargo-zigbuild" ]; then
            python3 -m venv --clear "$tools"
            "$tools/bin/python" -m pip install --quiet ziglang==0.15.1 cargo-zigbuild==0.24.1
        fi
        export PATH="$PWD/$tools/bin:$PATH"
        # -C force-unwind-tables=no is not enough: std's own code, which is linked in, brings them back for all.
        link=()
        if [ "$profile" = dist ]; then link=(-- -C "link-arg=-Wl,-T,$PWD/scripts/no-unwinding.ld"); fi
        linked=$target
        case "$target" in *-gnu) linked=$target.2.17 ;; esac
        CARGO=$cargo cargo-zigbuild rustc "${arguments[@]}" --target "$linked" "${link[@]}"
        ;;
    *) "$cargo" build "${arguments[@]}" --target "$target" ;;
esac

binary="$built/$target/$profile/requant"
case "$target" in *windows*) binary=$binary.exe ;; esac
size=$(wc -c < "$binary")
if [ "$size" -gt "$most_bytes" ]; then
    echo "$binary has $size bytes, more than $most_bytes" >&2
    exit 1
fi

name=requant-$version-$target
folder=$files/$name
rm -rf "$folder"
mkdir -p "$folder"
cp "$binary" README.md CHANGELOG.md CITATION.cff LICENSE-APACHE LICENSE-MIT "$folder/"
case "$target" in
    *windows*)
        archive=$name.zip
        (cd "$files" && 7z a -bd "$archive" "$name" >/dev/null)
        ;;
    *)
        archive=$name.tgz
        # Equal trees give equal archives: no owner, one time, one order.
        if tar --version 2>/dev/null | grep -q GNU; then
            tar -C "$files" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-0}" -cf - "$name"
        else
            tar -C "$files" -cf - "$name"
        fi | gzip -n -9 > "$files/$archive"
        ;;
esac
rm -rf "$folder"
cd "$files"
if command -v sha256sum >/dev/null; then sha256sum "$archive"; else shasum -a 256 "$archive"; fi > "$archive.sha256"
echo "$files/$archive: binary of $size bytes"
cat "$archive.sha256"

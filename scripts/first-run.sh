#!/usr/bin/env bash
# Builds requant, writes a small set of spectra with known truth and runs the main job on it.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked
rm -rf out/demo
mkdir -p out
target/release/requant simulate --out out/demo --subjects 48
target/release/requant run out/demo/spectra --basis out/demo/simulated.basis --out out/demo/results
target/release/requant fit out/demo/spectra/sub-0003/mrs/sub-0003_svs.nii.gz \
    --basis out/demo/simulated.basis --plot out/demo/sub-0003.svg

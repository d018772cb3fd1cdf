#!/usr/bin/env bash
# Builds requant, makes a small multi-site corpus with known truth, runs the main job on it, says how close it came and
# draws one fit. Needs a Rust toolchain and nothing else: no data, no GPU.
set -euo pipefail
cd "$(dirname "$0")/.."

# A clean build takes about twenty CPU minutes; cargo uses all cores.
if [ ! -x target/release/requant ]; then
    cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    echo "building requant: about $((20 / cores + 1)) minutes on the $cores cores of this machine; later builds take less"
fi
cargo build --release --locked
rm -rf out/demo
mkdir -p out/demo
requant=target/release/requant
$requant simulate --out out/demo/corpus --subjects 48
$requant run out/demo/corpus --out out/demo/results
$requant compare out/demo/results --truth out/demo/corpus/truth/truth.csv
$requant fit out/demo/corpus/sub-0003/mrs/sub-0003_voi-acc_svs.nii.gz --plot out/demo/sub-0003.svg >out/demo/sub-0003.txt
echo
echo "tables   out/demo/results (spectra/, metabolites/, run.json)"
echo "picture  out/demo/sub-0003.svg"

#!/usr/bin/env bash
# Builds, checks and times the GPU engine on this machine's GPU, and prints one report: agreement with the native engine,
# spectra per second against batch size and problem size, and time by stage beside counted work.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked
target/release/requant devices
REQUANT_REQUIRE_GPU=1 cargo test --release --locked --test gpu -- --skip real_
cargo bench --locked --bench gpu

#!/usr/bin/env bash
# Runs all tests. Needs no GPU: a software Vulkan driver serves for the tests of the GPU engine, and without any they
# show as ignored. With CI set such a driver is installed and they must run.
# Tests named real_* need the real spectra in ../shared/data (or REQUANT_TEST_DATA); where these are
# missing they are left out by name and counted as skipped, never as passed. With CI set they must run.
set -euo pipefail
cd "$(dirname "$0")/.."

data="${REQUANT_TEST_DATA:-../shared/data}"
filter=()
skip=()
if [ ! -d "$data" ]; then
    if [ -n "${CI:-}" ]; then
        echo "no test data at $data: CI must have them" >&2
        exit 1
    fi
    echo "no test data at $data: tests named real_* are left out"
    filter=(-E 'not test(/(^|::)real_/)')
    skip=(-- --skip real_)
fi

if [ -n "${CI:-}" ]; then
    ./scripts/install-software-vulkan.sh
    export REQUANT_REQUIRE_GPU=1
fi

cargo test --locked --doc
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked "${filter[@]}"
else
    cargo test --locked --lib --bins --tests "${skip[@]}"
fi

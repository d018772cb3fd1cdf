#!/usr/bin/env bash
# Builds the wheel, installs it with pip into a fresh environment, and runs its tests there.
# Usage: scripts/test-wheel.sh [--time] [WHEEL]     (a WHEEL that is there already is not built again)
#
#   PYTHON=python3.12     the interpreter to try it with; the wheel is for every one from 3.10 on
#   PROFILE=dev           build for a look; what is given away is `release`
#   PORTABLE=1            link by zig for glibc 2.17 (manylinux2014), as wheels that are given away are
#   NO_GPU=1              leave out the GPU engine
#   --time                also the time of fit_many beside the command's, over 1,000 FIDs
set -euo pipefail
cd "$(dirname "$0")/.."
timed=
if [ "${1:-}" = --time ]; then
    timed=1
    shift
fi
python=${PYTHON:-python3}
profile=${PROFILE:-release}
wheel=${1:-}
# Where an environment has its programs.
case "$(uname -s)" in MINGW* | MSYS* | CYGWIN*) bin=Scripts ;; *) bin=bin ;; esac

if [ -z "$wheel" ]; then
    tools=target/wheel-tools
    if [ ! -e "$tools/$bin/maturin" ] && [ ! -e "$tools/$bin/maturin.exe" ]; then
        "$python" -m venv --clear "$tools"
        "$tools/$bin/python" -m pip install --quiet maturin==1.16.0 ziglang==0.15.1
    fi
    export PATH="$PWD/$tools/$bin:$PATH"
    arguments=(--manifest-path python/Cargo.toml --profile "$profile" --locked --out target/wheels)
    if [ -n "${PORTABLE:-}" ]; then arguments+=(--zig --compatibility manylinux2014); fi
    if [ -n "${NO_GPU:-}" ]; then arguments+=(--no-default-features); fi
    rm -rf target/wheels
    # Beside the program's own build: what the two share is built once.
    CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target} maturin build "${arguments[@]}"
    wheel=$(ls target/wheels/requant-*.whl)
fi
echo "$wheel: $(wc -c < "$wheel") bytes"

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$python" -m venv "$fresh/env"
"$fresh/env/$bin/python" -m pip install --quiet "$wheel[test]"
"$fresh/env/$bin/requant" --version
"$fresh/env/$bin/python" -m pytest -q -p no:cacheprovider python/tests
if [ -n "$timed" ]; then
    "$fresh/env/$bin/python" scripts/time-wheel.py
fi

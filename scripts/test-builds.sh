#!/usr/bin/env bash
# What `.ci/run` has no time for (`.github/workflows/weekly.yml` runs it): each feature alone and in pairs, and the oldest compiler
# that Cargo.toml promises.
# Usage: scripts/test-builds.sh [features|oldest]...      (default: both; `oldest` needs rustup, or CARGO with such a compiler)
set -euo pipefail
cd "$(dirname "$0")/.."
oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
[ $# -gt 0 ] || set -- features oldest
for one in "$@"; do
    case "$one" in
        features)
            # What only one feature uses would be a warning without it.
            for set in "" cli gpu report cli,gpu report,gpu; do
                echo "features: ${set:-none}"
                cargo clippy --locked --lib --bins --no-default-features --features "$set" -- -D warnings
            done
            ;;
        oldest)
            if [ -z "${CARGO:-}" ]; then
                rustup toolchain install "$oldest" --profile minimal
                CARGO="cargo +$oldest"
            fi
            echo "oldest: $($CARGO --version), promised is $oldest"
            $CARGO check --locked --lib --bins
            ;;
        *)
            echo "no such check: $one" >&2
            exit 2
            ;;
    esac
done

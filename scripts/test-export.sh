#!/usr/bin/env bash
# What `requant export` writes is read with equal values and types by pandas, base R and LibreOffice: TSV, CSV and workbooks against
# Parquet; and the R of docs/guide/r.md runs as printed.
# Needs python3 (installs what it lacks into target/python); R where there is one, and with CI set it is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${REQUANT_PYTHON:-target/python/bin/python}"
if ! "$python" -c "import pandas, pyarrow" 2>/dev/null; then
    python3 -m venv --clear target/python
    target/python/bin/python -m pip install --quiet -r examples/python/requirements.txt
    python=target/python/bin/python
fi
install_for_r() { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null; }
if [ -n "${CI:-}" ]; then
    command -v Rscript >/dev/null || install_for_r r-base-core
    # One line of the guide reads JSON; where the package cannot be had, scripts/run-guide.R says what it leaves out.
    Rscript -e 'library(jsonlite)' >/dev/null 2>&1 || install_for_r r-cran-jsonlite || echo "R has no jsonlite, nor can it be installed" >&2
fi
requant="${REQUANT:-target/debug/requant}"
[ -x "$requant" ] || cargo build --locked --bin requant
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# Results may be given (REQUANT_RESULTS, with participants.tsv in the same folder), as fits take their time.
if [ -n "${REQUANT_RESULTS:-}" ]; then
    results="$REQUANT_RESULTS"
    participants="$(dirname "$results")/participants.tsv"
else
    "$requant" simulate --out "$out/corpus" --subjects 8
    "$requant" run "$out/corpus" --engine cpu --method varpro --out "$out/results"
    results="$out/results"
    participants="$out/corpus/participants.tsv"
fi
"$requant" export "$results" --participants "$participants" --format tsv,csv,xlsx,parquet --out "$out/study"
"$python" scripts/check-export.py "$out/study" pandas
if command -v Rscript >/dev/null; then
    Rscript scripts/read-export.R "$out/study"
    "$python" scripts/check-export.py "$out/study" R
    # The page for R, in a folder as it has it.
    mkdir "$out/guide" "$out/guide/bin"
    ln -s "$(realpath "$requant")" "$out/guide/bin/requant"
    "$requant" simulate --out "$out/guide/scans" --subjects 2
    (root=$PWD && cd "$out/guide" && PATH="$PWD/bin:$PATH" Rscript "$root/scripts/run-guide.R" "$root/docs/guide/r.md")
else
    echo "left out: no R" >&2
fi
# LibreOffice is 300 MB to install, so only where it is (Debian: libreoffice-calc-nogui).
if command -v soffice >/dev/null; then
    HOME="$out/home" timeout 300 soffice --headless --convert-to fods --outdir "$out/study" "$out"/study/*.xlsx >/dev/null 2>&1
    "$python" scripts/check-export.py "$out/study" LibreOffice
else
    echo "left out: no LibreOffice" >&2
fi

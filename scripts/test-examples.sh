#!/usr/bin/env bash
# The Python example and the check of our NIfTI-MRS files with nibabel, on a simulated corpus. Needs python3; installs
# what it lacks into target/python.
set -euo pipefail
cd "$(dirname "$0")/.."

python=target/python/bin/python
needed="import matplotlib, nibabel, pandas, pyarrow"
if ! "$python" -c "$needed" 2>/dev/null; then
    python3 -m venv --clear target/python
    "$python" -m pip install --quiet -r examples/python/requirements.txt nibabel
fi
cargo build --locked --examples --bins
target/debug/examples/fit_array
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
requant=target/debug/requant
"$requant" simulate --out "$out/corpus" --subjects 60
"$requant" run "$out/corpus" --engine cpu --out "$out/results"
"$python" examples/python/group_difference.py "$out/results" "$out/corpus/participants.tsv" --out "$out/figure.svg" | tee "$out/said"
# The recipe gives patients 10 % more glutamate: the estimate must hold it within three of its own standard errors.
"$python" - "$out/said" <<'CHECK'
import re, sys
text = open(sys.argv[1]).read()
percent, sd = map(float, re.search(r"([+-][\d.]+) % ± ([\d.]+) %", text).groups())
expected = 10
assert sd < 6 and abs(percent - expected) < 3 * sd, (percent, sd, expected)
CHECK
test -s "$out/figure.svg"
"$python" scripts/check-nifti.py "$out/corpus"

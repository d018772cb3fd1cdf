#!/usr/bin/env bash
# The Python example and the check of our NIfTI-MRS files with nibabel, on a simulated corpus. Needs python3; installs
# what it lacks into target/python.
set -euo pipefail
cd "$(dirname "$0")/.."

python=target/python/bin/python
needed="import nibabel, pandas, pyarrow"
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
"$python" examples/python/read_tables.py "$out/results" "$out/corpus/participants.tsv" | tee "$out/said"
# The recipe gives patients 10 % more glutamate: so do the means of the sites, each with as many people as it has of both groups.
"$python" - "$out/said" <<'CHECK'
import sys
from collections import defaultdict
sites = defaultdict(dict)
site = None
for line in open(sys.argv[1]).read().splitlines()[2:]:
    *labels, group, n, mean, sd = line.split()
    site = labels[-1] if labels else site
    sites[site][group] = (int(n), float(mean), float(sd))
both = [(a, b) for a, b in ((s.get("control"), s.get("patient")) for s in sites.values()) if a and b]
weights = [1 / (1 / a[0] + 1 / b[0]) for a, b in both]
percent = 100 * sum(w * (b[1] / a[1] - 1) for w, (a, b) in zip(weights, both)) / sum(weights)
assert sum(n for s in sites.values() for n, _, _ in s.values()) >= 55, sites
assert 2 < percent < 18, percent
CHECK
"$python" scripts/check-nifti.py "$out/corpus"

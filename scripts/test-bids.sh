#!/usr/bin/env bash
# What is BIDS, by the validators of others: the dataset that the BIDS-App writes, simulated corpora, converted folders of all
# vendors (where ../shared/data, or REQUANT_TEST_DATA, has some), and the descriptor of Boutiques, which then runs participants and
# group. Installs the validators from PyPI into target/bids-tools; REQUANT may name the binary.
set -euo pipefail
cd "$(dirname "$0")/.."
requant=$(realpath "${REQUANT:-target/release/requant}")
scans=$(realpath "${REQUANT_TEST_DATA:-../shared/data}")
tools=target/bids-tools
if [ ! -x "$tools/bin/bosh" ] || [ ! -x "$tools/bin/bids-validator-deno" ]; then
    python3 -m venv --clear "$tools"
    "$tools/bin/python" -m pip install --quiet boutiques==0.5.33 bids-validator-deno kubernetes-validate
fi
bin=$PWD/$tools/bin
descriptor=$PWD/examples/boutiques/requant.json
"$bin/bosh" validate "$descriptor"
"$bin/kubernetes-validate" --strict examples/kubernetes/job.yaml

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir bin
ln -s "$requant" bin/requant
export PATH="$dir/bin:$PATH"
requant simulate --out data --subjects 5
cat > participant.json <<JSON
{ "bids_dir": "$dir/data", "output_dir": "$dir/out", "analysis_level": "participant",
  "participant_label": ["0001", "0002"], "engine": "cpu", "nprocs": 2, "mem_mb": 2000 }
JSON
cat > group.json <<JSON
{ "bids_dir": "$dir/data", "output_dir": "$dir/out", "analysis_level": "group" }
JSON
"$bin/bosh" exec launch --no-container "$descriptor" participant.json
"$bin/bosh" exec launch --no-container "$descriptor" group.json
test -s out/group.html
test -s out/sub-0002.html
test ! -e out/sub-0003.html
is_valid() {
    "$bin/bids-validator-deno" "$1" | tee said
    if grep -q ERROR said; then exit 1; fi
}
is_valid out
is_valid data
requant convert data again --bids
is_valid again
datasets=(again)
if [ -d "$scans" ]; then
    mkdir mixed
    for vendor in philips-sdat siemens-rda siemens-dicom ge-pfile; do ln -s "$scans/$vendor" "mixed/$vendor"; done
    requant convert mixed dataset --bids --site-from '{site}/{subject}/**' | tee converted
    is_valid dataset
    datasets+=(dataset)
fi

# Killed after the first participant's page, the same command goes on, and the group's tables are those of one that was not.
for dataset in "${datasets[@]}"; do
    participants() { requant bids "$dataset" "$1" participant --engine cpu --nprocs 2; }
    pages() { find "$1" -maxdepth 1 -name 'sub-*.html' 2>/dev/null | wc -l; }
    participants "$dataset-whole" >/dev/null
    requant bids "$dataset" "$dataset-killed" participant --engine cpu --nprocs 2 >/dev/null 2>&1 &
    app=$!
    until [ "$(pages "$dataset-killed")" -gt 0 ]; do sleep 0.02; done
    kill -KILL "$app"
    wait "$app" 2>/dev/null || true
    left=$(($(pages "$dataset-whole") - $(pages "$dataset-killed")))
    [ "$left" -gt 0 ]
    participants "$dataset-killed" >/dev/null
    for out in whole killed; do requant bids "$dataset" "$dataset-$out" group >/dev/null; done
    for table in spectra metabolites; do diff -r "$dataset-whole/group/$table" "$dataset-killed/group/$table"; done
    is_valid "$dataset-killed"
    echo "passed: $dataset, killed with $left of $(pages "$dataset-whole") participants to do"
done
echo "passed: Boutiques, Kubernetes and BIDS"

#!/usr/bin/env bash
# Draws every picture of the guide again (docs/pictures), and its pages: the page of a run, of a subject, of compared methods
# and of a benchmark (out/guide, not kept in the repository).
#   ./scripts/draw-guide.sh [DATA]     DATA: measured spectra (default ../shared/data); what is not there is left as it was
# REQUANT names the program, REQUANT_PYTHON a python3 with matplotlib and pandas. The wide corpus behind map-and-lcmodel.svg
# and the benchmark take minutes: WIDE=1 asks for them.
# Points that nobody sees are taken out of the pictures (thin-pictures.py).
set -euo pipefail
cd "$(dirname "$0")/.."

data=${1:-../shared/data}
pictures=docs/pictures
out=out/guide
if [ -z "${REQUANT:-}" ]; then
  cargo build --release --locked
  REQUANT=target/release/requant
fi
rm -rf "$out"
mkdir -p "$out"

# needs FILE PICTURE: whether the measured file is there.
needs() {
  [ -e "$1" ] && return 0
  echo "left as it was: $pictures/$2 ($1 is not there)"
  return 1
}

# Simulated, so that anybody can.
"$REQUANT" simulate --out "$out/demo" > /dev/null
"$REQUANT" fit "$out/demo/sub-0003/mrs/sub-0003_voi-acc_svs.nii.gz" --plot "$pictures/fit.svg" > /dev/null
"$REQUANT" basis simulate --sequence press --te 35 --field-t 3 --out "$out/press35.basis" > /dev/null
"$REQUANT" basis show "$out/press35.basis" --plot "$pictures/basis.svg" > /dev/null
"$REQUANT" learn "$out/demo" --out "$out/priors" > /dev/null
"$REQUANT" run "$out/demo" --learned "$out/priors" --out "$out/learned" > /dev/null
cp "$out/priors/learned.svg" "$pictures/learned.svg"

# Edited: both conditions of a simulated brain, with noise, drift and jitter.
for edit in on off; do
  "$REQUANT" basis simulate --sequence mega-press --te 68 --edit "$edit" --field-mhz 123.25 --points 2048 --format fsl-json \
    --out "$out/mega-$edit" > /dev/null
done
mkdir -p "$out/edited"
mega=$out/edited/sub-01_mega.nii
python3 scripts/simulate-mega.py "$out/mega-on" "$out/mega-off" "$mega"
"$REQUANT" inspect "$mega" --select diff --plot "$pictures/difference.svg" > "$out/inspect-mega.txt"
"$REQUANT" fit "$mega" --select diff --method gannet --plot "$pictures/gannet.svg" > "$out/fit-mega.txt"

# Measured.
drift=$data/nifti-mrs/dw-synthetic-drift/synthetic.nii.gz
needs "$drift" drift.svg && "$REQUANT" inspect "$drift" --select Bval=0 --plot "$pictures/drift.svg" > /dev/null
press=$data/philips-sdat/press35-sub01/sub-01_PRESS_35_act.sdat
needs "$press" philips-press.svg &&
  "$REQUANT" fit "$press" --sequence PRESS --plot "$pictures/philips-press.svg" > /dev/null
nulled=$data/philips-sdat/press30-mm-sub01
if needs "$nulled" overlay.svg; then
  "$REQUANT" fit "$nulled/sub-01_ses-01_PRESS_raw-act_noID.SDAT" --sequence PRESS --plot "$pictures/overlay.svg" \
    --overlay "$nulled/sub-01_ses-01_PRESS-Inverted_TI-600_raw-act_noID.SDAT" > /dev/null
fi
# Pages.
"$REQUANT" run "$out/demo" --method map --method lcmodel --out "$out/two-methods" > /dev/null
"$REQUANT" report "$out/learned" --subject sub-0003 > /dev/null
"$REQUANT" compare "$out/two-methods" --out "$out/comparison" > /dev/null
if [ -n "${WIDE:-}" ]; then
  "$REQUANT" simulate --recipe datasets/benchmark/wide.toml --out "$out/wide" > /dev/null
  "$REQUANT" run "$out/wide" --method map --method lcmodel --out "$out/wide-results" > /dev/null
  "${REQUANT_PYTHON:-python3}" scripts/draw-map-and-lcmodel.py "$out/wide-results" "$out/wide/truth" \
    --out "$pictures/map-and-lcmodel.svg"
  "$REQUANT" benchmark --out "$out/benchmark" > /dev/null
else
  echo "left as it was: $pictures/map-and-lcmodel.svg and the benchmark's page (WIDE=1 draws them)"
fi
python3 scripts/thin-pictures.py "$pictures"/{basis,difference,drift,fit,gannet,learned,overlay,philips-press}.svg
echo "pictures  $pictures"
echo "pages     $out/learned/report.html $out/learned/sub-0003.html $out/comparison/methods.html"

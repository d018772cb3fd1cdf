#!/usr/bin/env bash
# Draws the pictures of docs/guide/mega-analysis.md again: a simulated study of 59 sites from files to the forest plot, by the four
# commands that stand there. Some 3 CPU minutes. Needs a release build or REQUANT, R as scripts/test-group.sh installs it, and python3
# with cairosvg and Pillow (PYTHON).
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
requant=$(realpath "${REQUANT:-target/release/requant}")
python=${PYTHON:-python3}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$out"
"$requant" simulate --recipe "$repository/datasets/study.toml" --out corpus
"$requant" run corpus --method map --out results
"$requant" export results --participants corpus/participants.tsv --join corpus/tissue.tsv --out study
sed -n '/^```toml$/,/^```$/p' "$repository/docs/guide/mega-analysis.md" | sed '1d;$d' >plan.toml
Rscript "$repository/examples/group/analysis.R" plan.toml figures
# 59 sites are too many lines for a picture of lines in a page.
"$python" - "$repository/docs/pictures" <<'PYTHON'
import io, sys
import cairosvg
from PIL import Image

for name, to, width in [("forest_Glu_tcr", "study-forest", 800), ("sites_Glu_tcr", "study-sites", 1500)]:
    drawn = cairosvg.svg2png(url=f"figures/{name}.svg", output_width=width, background_color="white")
    Image.open(io.BytesIO(drawn)).convert("RGB").quantize(64, dither=0).save(f"{sys.argv[1]}/{to}.png", optimize=True)
PYTHON

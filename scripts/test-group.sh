#!/usr/bin/env bash
# The models of examples/group/analysis.R give the numbers of an independent analysis of the same table: 1e-8, mixed models 1e-6.
# Needs R with metafor, lme4, lmerTest, emmeans, car and jsonlite, which CI installs, and ../shared/reference/statistics (or
# REQUANT_TEST_STATISTICS). With CI set both must be there.
set -euo pipefail
cd "$(dirname "$0")/.."

reference="${REQUANT_TEST_STATISTICS:-../shared/reference/statistics}"
if [ -n "${CI:-}" ] && ! Rscript -e 'for (p in c("metafor", "lmerTest", "emmeans", "car", "jsonlite")) library(p, character.only = TRUE)' >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends r-base-core r-cran-metafor r-cran-lme4 \
        r-cran-lmertest r-cran-emmeans r-cran-car r-cran-jsonlite >/dev/null
fi
if ! command -v Rscript >/dev/null || [ ! -d "$reference" ]; then
    echo "left out: no R, or no reference numbers at $reference" >&2
    [ -z "${CI:-}" ]
    exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
Rscript scripts/check-group.R "$reference" "$out" prepare
for groups in two four; do
    Rscript examples/group/analysis.R "$out/$groups.toml" "$out/$groups" >"$out/$groups.said" 2>"$out/$groups.warned"
done
Rscript scripts/check-group.R "$reference" "$out" check
# What is not right stops in one line.
refused() {
    sed "$1" "$out/two.toml" >"$out/wrong.toml"
    if Rscript examples/group/analysis.R "$out/wrong.toml" "$out/wrong" >/dev/null 2>"$out/wrong.said"; then
        echo "not refused: $1" >&2
        exit 1
    fi
    if [ "$(wc -l <"$out/wrong.said")" != 1 ] || ! grep -q "$2" "$out/wrong.said"; then
        cat "$out/wrong.said" >&2
        exit 1
    fi
}
refused 's/"patient"/"pateint"/' "no group pateint; there are control, patient"
refused 's/Glu_tcr/Glu_tCR/' "no column Glu_tCR"
refused 's/^table.*/table = "methods.tsv"/; s/^method.*//' "2 methods"
refused 's/^table.*/table = "voxels.tsv"/' "2 of voi (acc, dlpfc)"
refused 's/^table.*/table = "twice.tsv"/' "rows are not people"
refused 's/^group/gruop/' "unknown key"
grep -q "sites of one group.*s09" "$out/two.warned"
echo "group: as the reference"

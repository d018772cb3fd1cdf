#!/usr/bin/env bash
# The models of examples/group/ give the numbers of independent analyses of the same tables: 1e-8, mixed models 1e-6, ComBat 1e-7;
# and what is wrong with a plan or table stops in one line. Needs R with metafor, lme4, lmerTest, emmeans, car and jsonlite, python3
# (installs what it lacks into target/group-python), and ../shared/reference/statistics (or REQUANT_TEST_STATISTICS). With CI set
# all of them must be there, and are installed.
set -euo pipefail
cd "$(dirname "$0")/.."

reference="${REQUANT_TEST_STATISTICS:-../shared/reference/statistics}"
python="${REQUANT_GROUP_PYTHON:-target/group-python/bin/python}"
has_r() {
    Rscript -e 'for (p in c("metafor", "lmerTest", "emmeans", "car", "jsonlite")) library(p, character.only = TRUE)' >/dev/null 2>&1
}
if [ -n "${CI:-}" ] && ! has_r; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends r-base-core r-cran-metafor r-cran-lme4 \
        r-cran-lmertest r-cran-emmeans r-cran-car r-cran-jsonlite >/dev/null
fi
if ! has_r || [ ! -d "$reference" ]; then
    echo "left out: no R with its packages, or no $reference" >&2
    [ -z "${CI:-}" ]
    exit 0
fi
if ! "$python" -c "import statsmodels" 2>/dev/null; then
    python3 -m venv --clear target/group-python
    python=target/group-python/bin/python
    "$python" -m pip install --quiet -r examples/group/requirements.txt
fi
export OPENBLAS_NUM_THREADS=1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
Rscript scripts/check-group.R "$reference" "$out" prepare
for plan in two four both; do
    Rscript examples/group/analysis.R "$out/$plan.toml" "$out/$plan" >"$out/$plan.said" 2>"$out/$plan.warned"
done
for plan in two four; do
    "$python" examples/group/analysis.py "$out/$plan.toml" "$out/python-$plan" >/dev/null 2>"$out/python-$plan.warned"
done
Rscript examples/group/published.R "$reference/mrs_database_schizophrenia.csv" "$out/published.csv" >/dev/null 2>"$out/published.warned"
Rscript scripts/check-group.R "$reference" "$out" check python
for figure in forest raincloud sites; do
    grep -q "</svg>" "$out/two/${figure}_Glu_tcr.svg"
done
grep -q "share a control sample" "$out/published.warned"

# A case: what is changed in the plan, and what is said of it. `refused` stops with that one line, `warned` goes on.
analyse() {
    sed "$2" "$out/two.toml" >"$out/case.toml"
    case "$1" in
    R) Rscript examples/group/analysis.R "$out/case.toml" "$out/case" ;;
    python) "$python" examples/group/analysis.py "$out/case.toml" "$out/case" ;;
    esac >/dev/null 2>"$out/case.said"
}
refused() {
    for with in R python; do
        if analyse "$with" "$1" || [ "$(wc -l <"$out/case.said")" != 1 ] || ! grep -q "$2" "$out/case.said"; then
            echo "$with: $1" >&2
            cat "$out/case.said" >&2
            exit 1
        fi
    done
}
# Mixed models take their time, and nothing of these cases is theirs.
warned() {
    for with in R python; do
        if ! analyse "$with" "$1; s/^correction/stages = [\"meta\"]\ncorrection/" || ! grep -q "$2" "$out/case.said"; then
            echo "$with: $1" >&2
            cat "$out/case.said" >&2
            exit 1
        fi
    done
}
table() {
    echo "s/^table.*/table = \"$1\"/"
}
refused 's/"patient"/"pateint"/' "no group pateint; there are control, patient"
refused 's/Glu_tcr/Glu_tCR/' "no column Glu_tCR"
refused 's/"group2"/"diagnosis"/' "no column diagnosis"
refused "$(table methods.tsv); s/^method.*//" "2 methods"
refused "$(table voxels.tsv)" "2 of voi (acc, dlpfc)"
refused "$(table twice.tsv)" "rows are not people"
refused "$(table texts.tsv)" "Glu_tcr has texts"
refused "$(table nothing.tsv)" "no such file"
refused 's/^group/gruop/' "unknown key"
own=$(sed -n 's/^table = "\(.*\)"/\1/p' "$out/two.toml")
awk 'BEGIN { FS = OFS = "\t" } { print $0, NR == 1 ? "gm_empty" : "n/a" }' "$out/$(basename "$own")" >"$out/empty.tsv"
refused "$(table empty.tsv); s/^covariates.*/covariates = [\"age\", \"gm_empty\"]/" "covariate gm_empty has no value"
warned "$(table nobody.tsv)" "7 rows have no group2"
warned 's/"group2"/"group4"/; s/"patient"/"resistant"/' "groups that the plan does not compare"
warned "$(table methods.tsv)" "sites of one group.*s09"
grep -q 'lcmodel' "$out/case/sensitivity.csv"
warned "$(table named.tsv); s/\"group2\"/\"diagnosis.1\"/" "lack a covariate"
# Names that look like numbers are as many people.
warned "$(table numbers.tsv)" "lack a covariate"
# Every site has one group: nothing can be said within sites, and no model says it.
warned "$(table apart.tsv)" "no meta-analysis"
# The plan that is handed out is read, comments and all: only its table is not there.
cp examples/group/plan.toml "$out/handed-out.toml"
for with in "Rscript examples/group/analysis.R" "$python examples/group/analysis.py"; do
    $with "$out/handed-out.toml" "$out/case" >/dev/null 2>"$out/case.said" && exit 1
    grep -q "study/analysis.tsv: no such file" "$out/case.said"
done
grep -q "sites of one group.*s09" "$out/two.warned"
echo "group: as the reference"

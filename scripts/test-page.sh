#!/usr/bin/env bash
# Drives report.html in Chromium: search, brush, click, keyboard, dark, print, phone, axe; then looks at subjects' pages beside
# it. No display is needed.
#   ./scripts/test-page.sh                       a synthetic run of 400 spectra
#   ./scripts/test-page.sh RESULTS/report.html   any page
#   REQUANT_REPORT_SPECTRA=6074 REQUANT_REPORT_SITES=40 [REQUANT_REPORT_RUNS=100] ./scripts/test-page.sh
# PICTURES=FOLDER keeps screenshots. What is missing is installed (Debian: chromium, nodejs, npm).
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
for program in chromium node npm; do
  command -v "$program" > /dev/null || missing+=("${program/#node/nodejs}")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq && for package in "${missing[@]}"; do apt-get install -y -qq "$package" > /dev/null; done
fi
[ -d tests/browser/node_modules ] || (cd tests/browser && npm ci --silent)

page=${1:-}
if [ -z "$page" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  REQUANT_REPORT_FOLDER=$folder cargo test --locked --test runs -- --ignored --exact report_page::a_page_for_the_browser --nocapture | grep -oE '([0-9]+ spectra:|page of).*'
  page=$folder/report.html
fi
node tests/browser/page.mjs "$page" ${PICTURES:+"$PICTURES"}
# Pages of subjects beside it, which have no script.
subjects=("$(dirname "$page")"/sub-*.html)
if [ -e "${subjects[0]}" ]; then
  node tests/browser/plain.mjs "${subjects[@]:0:4}" ${PICTURES:+--pictures "$PICTURES"}
fi

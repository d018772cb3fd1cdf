#!/usr/bin/env bash
# CPU time a spectrum of every built-in method for unedited spectra, and what all of them but map take for a consortium of
# 6,074: one thread, reading and writing included.
#
#   scripts/time-methods.sh SPECTRA BASIS [METHOD…]
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
requant=$(cd "$(dirname "$0")/.." && pwd)/target/release/requant
spectra=$1 basis=$2
shift 2
methods=("$@")
[ $# -gt 0 ] || methods=(map lcmodel lcmodel-fast fsl abfit abfit-reg osprey tarquin varpro)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
sum=0
echo "| method | ms a spectrum |"
echo "|---|---|"
for method in "${methods[@]}"; do
  TIMEFORMAT='%U %S'
  cpu=$( { time "$requant" run "$spectra" --basis "$basis" --method "$method" --engine cpu --threads 1 \
    --out "$out/run" --overwrite > "$out/told" 2>&1; } 2>&1 ) || { cat "$out/told" >&2; exit 1; }
  n=$("$requant" status "$out/run" | sed -n 's/^\([0-9]*\) rows.*/\1/p')
  ms=$(awk -v cpu="$cpu" -v n="$n" 'BEGIN { split(cpu, t, " "); printf "%.1f", 1e3 * (t[1] + t[2]) / n }')
  [ "$method" = map ] || sum=$(awk -v a="$sum" -v b="$ms" 'BEGIN { print a + b }')
  echo "| \`$method\` | $ms |"
done
awk -v ms="$sum" 'BEGIN { printf "| all but map, 6,074 spectra | %.0f CPU minutes |\n", ms * 6074 / 6e4 }'

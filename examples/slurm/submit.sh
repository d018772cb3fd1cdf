#!/usr/bin/env bash
# Usage: examples/slurm/submit.sh INPUT OUT N_SHARDS [options of requant run]
# Submits a job array of N_SHARDS tasks and a merge that waits for it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
INPUT=$(realpath "$1") OUT=$(realpath -m "$2") shards=$3
shift 3
export INPUT OUT REQUANT_ARGS="$*"
job=$(sbatch --parsable --export=ALL --array="1-$shards" "$here/array.sbatch")
merge=$(sbatch --parsable --export=ALL --dependency="afterok:$job" "$here/merge.sbatch")
echo "$job $merge"

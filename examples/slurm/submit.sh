#!/usr/bin/env bash
# Usage: examples/slurm/submit.sh INPUT OUT N_SHARDS [options of requant run]
# Submits a job array of N_SHARDS tasks and a merge that waits until all have ended, however they ended: it names the
# shards that are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
INPUT=$(realpath "$1") OUT=$(realpath -m "$2") shards=$3
shift 3
# A job's environment keeps no list: each option is quoted, and the task reads it back as it was typed.
REQUANT_ARGS=
[ "$#" -eq 0 ] || REQUANT_ARGS=$(printf '%q ' "$@")
N_SHARDS=$shards
export INPUT OUT REQUANT_ARGS N_SHARDS
job=$(sbatch --parsable --export=ALL --array="1-$shards" ${SBATCH_OPTIONS:-} "$here/array.sbatch")
merge=$(sbatch --parsable --export=ALL --dependency="afterany:$job" "$here/merge.sbatch")
echo "$job $merge"

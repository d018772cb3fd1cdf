#!/usr/bin/env bash
# The Slurm example on a real one-node Slurm that listens on loopback only: an array, one task killed and requeued, the
# merge, and the tables compared with those of one run. Needs root on Debian or Ubuntu; REQUANT may name the binary.
set -euo pipefail
cd "$(dirname "$0")/.."
requant=$(realpath "${REQUANT:-target/release/requant}")
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"

if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
    apt-get -o DPkg::Lock::Timeout=300 update -qq
    apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends slurm-wlm munge
fi
dir=$(mktemp -d)
host=$(hostname -s)
grep -qw "$host" /etc/hosts || echo "127.0.0.1 $host" >> /etc/hosts
mkdir -p "$dir"/{state,spool,log,munge}
# A munge of its own, with a key of its own: the machine's, if it has one, is left alone.
chmod 755 "$dir" "$dir/munge"
(umask 077 && head -c 1024 /dev/urandom > "$dir/munge/key")
stop() {
    for pid in "$dir/slurmd.pid" "$dir/slurmctld.pid" "$dir/munge/pid"; do
        [ -f "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
    done
}
trap stop EXIT
cat > "$dir/slurm.conf" <<CONF
ClusterName=requant
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=05:00:00 State=UP
CONF
export SLURM_CONF="$dir/slurm.conf"
munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
slurmctld -f "$SLURM_CONF"
slurmd -f "$SLURM_CONF" -N "$host"
for _ in $(seq 30); do sinfo -h -o %t 2>/dev/null | grep -q idle && break; sleep 1; done
sinfo

cd "$dir"
"$requant" simulate --out corpus --subjects 300
"$requant" run corpus --engine cpu --out whole >/dev/null 2>&1
examples="$OLDPWD/examples/slurm"
export REQUANT="$requant"
read -r job merge < <("$examples/submit.sh" corpus shards 3 --engine cpu --memory 145MB)
echo "array $job, merge $merge"

# Once the second task has done a chunk its process is killed, as for memory or by a failing node; the task comes back.
chunks() { ls shards/.requant 2>/dev/null | grep -c '^chunk' || true; }
before=
for _ in $(seq 1200); do
    if squeue -h -r -t R -o %i | grep -qx "${job}_2"; then
        [ -z "$before" ] && before=$(chunks)
        if [ "$(chunks)" -gt "$before" ]; then
            # The task's own process and no other's.
            for pid in $(scontrol listpids "$(squeue -h -j "${job}_2" -o %A)" | awk 'NR > 1 { print $1 }'); do
                [ "$(readlink "/proc/$pid/exe")" = "$requant" ] && kill -KILL "$pid" && killed=1
            done
            [ -n "${killed:-}" ] && echo "killed task 2 with $(chunks) chunks done" && break
        fi
    fi
    sleep 0.05
done
[ -n "${killed:-}" ] || { echo "task 2 ended before it could be killed" >&2; exit 1; }
for _ in $(seq 300); do
    squeue -h -j "$merge" -o %t 2>/dev/null | grep -q . || break
    # Slurm holds a requeued task for two minutes; the test does not wait for them.
    scontrol update jobid="${job}_2" StartTime=now 2>/dev/null || true
    sleep 1
done
# An option with spaces and quotes reaches the tasks as it was typed, and a merge names the shard that failed.
quoted='a b' pattern="{site}/it's {subject}/*"
mkdir -p "$quoted"
cat > fake <<'FAKE'
#!/bin/bash
printf '%s\n' "$@" > "said-$1-${SLURM_ARRAY_TASK_ID:-0}"
if [ "$1" = run ] && [ "$SLURM_ARRAY_TASK_ID" = 2 ]; then exit 1; fi
FAKE
chmod +x fake
read -r failing named < <(REQUANT="$PWD/fake" "$examples/submit.sh" "$quoted" "$quoted/out" 2 --site-from "$pattern" --note '$HOME "x"')
for _ in $(seq 120); do [ -f said-merge-0 ] && break; sleep 1; done
[ -f said-merge-0 ] || { echo "the merge did not start after a failed shard"; squeue; exit 1; }
grep -qxF -- "$pattern" said-run-1 && grep -qxF -- '$HOME "x"' said-run-1 && grep -qxF -- "$PWD/$quoted" said-run-1
grep -qx -- --shards said-merge-0 && grep -qx 2 said-merge-0
echo "passed: options as they were typed (jobs $failing, $named), the merge after a failed shard"

for task in 1 2 3; do scontrol show job "${job}_$task" | grep -oE "JobState=[A-Z]+|Restarts=[0-9]+|ExitCode=[0-9:]+" | tr '\n' ' '; echo "task $task"; done
scontrol show job "$merge" | grep -oE "JobState=[A-Z]+"
status=0
for table in spectra metabolites; do
    diff -r "whole/$table" "shards/$table" || status=1
done
[ "$status" -eq 0 ] && echo "passed: the merged shards are byte for byte the tables of one run"
[ "$status" -eq 0 ] || cat requant-*.log
exit "$status"

"""The time of `requant.fit_many` beside that of the command, over 1,000 FIDs of one protocol.

    python scripts/time-wheel.py [N]     needs the wheel installed

Both fit the same spectra by the same code; the command also reads files and writes tables. They take turns, so that what
else the machine does meets both; the least of three is compared.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import requant

TURNS = 3
MOST = 1.03

n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
command = str(Path(sys.executable).with_name("requant"))
with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    subprocess.run([command, "simulate", "--out", folder / "all", "--subjects", str(n)], check=True, stdout=subprocess.DEVNULL)
    files = sorted((folder / "all").glob("sub-*/mrs/*_svs.nii.gz"))
    # Sites differ in their protocol: as many calls as there are protocols, as a run has as many models.
    groups = {}
    for file in files:
        data = requant.read(file)
        header = {key: value for key, value in data.header.items() if value is not None}
        water = requant.read(str(file).replace("_svs", "_mrsref")).samples[0, 0, 0, 0]
        groups.setdefault(tuple(sorted(header.items())), []).append((data.samples[0, 0, 0, 0], water))
    groups = [(dict(key), *map(np.stack, zip(*rows))) for key, rows in groups.items()]
    by_command, by_call = [], []
    for turn in range(TURNS):
        out = folder / f"results{turn}"
        started = time.monotonic()
        line = [command, "run", folder / "all", "--engine", "cpu", "--no-curves", "--out", out]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        by_command.append(time.monotonic() - started)
        started = time.monotonic()
        rows = sum(requant.fit_many(fids, water=water, **header).spectra.num_rows for header, fids, water in groups)
        by_call.append(time.monotonic() - started)
        assert rows == n, rows
    ratio = min(by_call) / min(by_command)
    print(f"{n} FIDs, {len(groups)} protocols: command {min(by_command):.2f} s, fit_many {min(by_call):.2f} s: {ratio:.3f} times")
    print(f"all turns: command {by_command}, fit_many {by_call}")
    if ratio > MOST:
        raise SystemExit(f"more than {MOST} times the command's time")

#!/usr/bin/env python3
"""Peak memory of runs over files that hold much: measured, and compared with --memory.

Usage: measure-memory.py REQUANT FOLDER [CASE...]     (needs numpy; files of some GB are made in FOLDER)

Each case makes its inputs once, runs `requant run --memory 512MiB` over them and prints the peak of the resident
memory (VmHWM). The case `resume` kills a run in the midst of a grid, resumes it and compares the tables' bytes.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

MEMORY_MIB = 512
HEADER_BYTES = 540


def spectrum(requant: str, folder: Path):
    """A simulated spectrum without coils: its FID, its header extension and its dwell time (s)."""
    corpus = folder / "simulated"
    if not corpus.exists():
        subprocess.run([requant, "simulate", "--out", corpus, "--subjects", "1"], check=True, stdout=subprocess.DEVNULL)
    raw = gzip.open(next(corpus.glob("**/*svs.nii.gz"))).read()
    offset, = struct.unpack_from("<q", raw, 168)
    dwell_s, = struct.unpack_from("<d", raw, 136)
    size, = struct.unpack_from("<i", raw, HEADER_BYTES + 4)
    meta = json.loads(raw[HEADER_BYTES + 12 : HEADER_BYTES + 4 + size].split(b"\0")[0])
    return np.frombuffer(raw, np.complex64, offset=offset), meta, dwell_s


def header(extents, meta, dwell_s) -> bytes:
    """A NIfTI-2 header of complex64 samples, with the NIfTI-MRS extension."""
    text = json.dumps(meta).encode()
    size = -(-(len(text) + 8) // 16) * 16
    head = bytearray(HEADER_BYTES + 4 + size)
    struct.pack_into("<i", head, 0, HEADER_BYTES)
    head[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into("<hh", head, 12, 32, 64)
    struct.pack_into("<8q", head, 16, len(extents), *extents, *[1] * (7 - len(extents)))
    struct.pack_into("<8d", head, 104, 1, 10, 10, 10, dwell_s, 1, 1, 1)
    struct.pack_into("<q", head, 168, len(head))
    struct.pack_into("<i", head, 500, 2 | 8)
    head[508:517] = b"mrs_v0_10"
    head[HEADER_BYTES] = 1
    struct.pack_into("<ii", head, HEADER_BYTES + 4, size, 44)
    head[HEADER_BYTES + 12 : HEADER_BYTES + 12 + len(text)] = text
    return bytes(head)


class Maker:
    """Makes the inputs of the cases."""

    def __init__(self, requant: str, folder: Path):
        self.folder = folder
        self.fid, self.meta, self.dwell_s = spectrum(requant, folder)
        self.noise = np.random.default_rng(1)

    def noisy(self, shape, sd=0.02):
        """Noise relative to the signal's beginning."""
        scale = np.float32(sd * abs(self.fid[0]))
        return scale * self.noise.standard_normal((*shape, 2), np.float32).view(np.complex64)[..., 0]

    def header(self, extents, dwell_s=None, **tags):
        return header(extents, {**self.meta, **tags}, dwell_s or self.dwell_s)

    def small(self, folder, n):
        """Files of one spectrum each, whose dwell times differ so that none share a model."""
        folder.mkdir(parents=True)
        for i in range(n):
            head = self.header([1, 1, 1, len(self.fid)], self.dwell_s * (1 + 1e-7 * i))
            (folder / f"s{i:04}_svs.nii").write_bytes(head + (self.fid + self.noisy(self.fid.shape)).tobytes())

    def packed(self, folder):
        """Two files of 1 GB inside, 1 MB on disk, between two small ones."""
        self.small(folder, 2)
        points = len(self.fid)
        n = (1 << 30) // (8 * points)
        for name in ("p1_svs.nii.gz", "p2_svs.nii.gz"):
            with gzip.open(folder / name, "wb", compresslevel=1) as file:
                file.write(self.header([1, 1, 1, points, n], dim_5="DIM_DYN"))
                for _ in range(n // 1024):
                    file.write(bytes(8 * points * 1024))

    def packed_grid(self, folder):
        """The same as grids."""
        self.small(folder, 2)
        for name in ("p1_mrsi.nii.gz", "p2_mrsi.nii.gz"):
            with gzip.open(folder / name, "wb", compresslevel=1) as file:
                file.write(self.header([64, 64, 32, 1024]))
                for _ in range(1024):
                    file.write(bytes(8 << 17))

    def grid(self, folder, extents=(32, 32, 16), points=1024):
        folder.mkdir(parents=True)
        with open(folder / "g_mrsi.nii", "wb") as file:
            file.write(self.header([*extents, points]))
            shape = (int(np.prod(extents)),)
            for point in range(points):
                file.write((self.fid[point] + self.noisy(shape)).tobytes())

    def small_grid(self, folder):
        self.grid(folder, (16, 16, 8))

    def raw(self, folder, coils=64, transients=500):
        """Every coil of every transient, and a water reference of one transient."""
        points = len(self.fid)
        folder.mkdir(parents=True)
        weights = self.noise.standard_normal((coils, 2)).view(np.complex128)[:, 0].astype(np.complex64)
        tags = {"dim_5": "DIM_COIL", "dim_6": "DIM_DYN"}
        with open(folder / "r_svs.nii", "wb") as file:
            file.write(self.header([1, 1, 1, points, coils, transients], **tags))
            for _ in range(transients):
                file.write((weights[:, None] * self.fid + self.noisy((coils, points), 0.3)).astype(np.complex64).tobytes())

    def transients(self, folder):
        folder.mkdir(parents=True)
        points = len(self.fid)
        for i in range(40):
            with open(folder / f"t{i:02}_svs.nii", "wb") as file:
                file.write(self.header([1, 1, 1, points, 128], dim_5="DIM_DYN"))
                file.write((self.fid + self.noisy((128, points), 0.2)).astype(np.complex64).tobytes())

    def many(self, folder):
        self.small(folder, 3000)

    def methods(self, folder):
        self.small(folder, 60)


CASES = {
    "one": (lambda maker, folder: maker.small(folder, 1), []),
    "packed": (Maker.packed, []),
    "packed-grid": (Maker.packed_grid, ["--curves"]),
    "raw": (Maker.raw, []),
    "transients": (Maker.transients, ["--transients", "--curves"]),
    "many": (Maker.many, []),
    "methods": (Maker.methods, ["--curves", *[w for m in ("map", "lcmodel", "lcmodel-fast", "fsl", "abfit", "abfit-reg", "osprey", "tarquin", "varpro") for w in ("--method", m)]]),
    "grid": (Maker.grid, ["--curves"]),
}


def run(requant, inputs, out, more, kill_after_chunks=None):
    """One run: exit code, peak (MiB), wall and processor time (s), what it printed last."""
    command = [requant, "run", inputs, "--engine", "cpu", "--memory", f"{MEMORY_MIB}MiB", "--out", out, *more]
    started = time.time()
    log = open(f"{out}.log", "wb")
    child = subprocess.Popen([str(c) for c in command], stdout=log, stderr=subprocess.STDOUT)
    while kill_after_chunks and child.poll() is None:
        if len(list(Path(out).glob(".requant/chunk-*"))) >= kill_after_chunks:
            child.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.time() - started
    text = Path(f"{out}.log").read_text(errors="replace")
    said = re.findall(r"\d+ rows: [^·\n]*", text)
    return status, usage.ru_maxrss / 1024, wall, usage.ru_utime + usage.ru_stime, (said or [text[-200:]])[-1].strip()


def digest(folder: Path) -> str:
    """Of the tables' bytes."""
    parts = sorted(folder.glob("*/*.parquet"))
    return hashlib.sha256(b"".join(p.name.encode() + p.read_bytes() for p in parts)).hexdigest()[:16]


def resume(requant, folder, maker):
    """Kills a run in the midst of a grid."""
    inputs = folder / "in-small-grid"
    if not inputs.exists():
        maker.small_grid(inputs)
    whole, killed = folder / "out-whole", folder / "out-killed"
    for out in (whole, killed):
        shutil.rmtree(out, ignore_errors=True)
    print("| undisturbed |", *("%s | %.0f MiB | %.0f s" % (said, peak, wall) for _, peak, wall, _, said in [run(requant, inputs, whole, ["--curves"])]))
    run(requant, inputs, killed, ["--curves"], kill_after_chunks=3)
    done = sorted(p.name for p in killed.glob(".requant/chunk-*"))
    _, peak, wall, _, said = run(requant, inputs, killed, ["--curves", "--resume"])
    print(f"| killed after {done} | {said} | {peak:.0f} MiB | {wall:.0f} s")
    print("tables equal byte for byte:", digest(whole) == digest(killed))


def main():
    requant, folder, wanted = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    maker = Maker(requant, folder)
    print(f"| case | rows | peak (MiB; limit {MEMORY_MIB}) | wall (s) | CPU (s) |\n|---|---|---|---|---|")
    for name, (make, more) in CASES.items():
        if wanted and name not in wanted:
            continue
        inputs, out = folder / f"in-{name}", folder / f"out-{name}"
        if not inputs.exists():
            make(maker, inputs)
        shutil.rmtree(out, ignore_errors=True)
        status, peak, wall, cpu, said = run(requant, inputs, out, more)
        print(f"| {name} | {said if status == 0 else f'status {status}: {said}'} | {peak:.0f} | {wall:.1f} | {cpu:.1f} |", flush=True)
    if not wanted or "resume" in wanted:
        resume(requant, folder, maker)


if __name__ == "__main__":
    main()

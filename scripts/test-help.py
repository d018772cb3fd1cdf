"""Runs every example of every command's --help, each in a folder of its own that has the files it names.

    python scripts/test-help.py REQUANT [DATA]      DATA: ../shared/data

`cargo test` holds the examples to what the commands take; this, which takes minutes, holds them to what the commands do.
"""

import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent
requant = Path(sys.argv[1]).resolve()
data = Path(sys.argv[2] if len(sys.argv) > 2 else root / "../shared/data").resolve()
# Examples that need what is in no folder here, by their beginnings, and how many there are of each.
LEFT_OUT = {
    "requant benchmark --out": (3, "hours: benches/ has its results"),
    "requant run demo --engine gpu --gpu 1": (1, "two GPUs"),
}
# Examples whose `results` are not those of a plain run, by their beginnings, and the folder that stands in.
INSTEAD = {
    "requant compare results": "results-2",
    "requant maps results": "grid",
    "requant plot results --flagged": "flagged-1",
    "requant merge results --shards 16": "shards-16",
    "requant merge results": "shards-3",
    "requant status results && requant merge": "shards-3",
}


def examples(*command):
    """Examples of a command and of those below it; a remark stands two spaces or more after an example."""
    # As in a terminal that wraps none of them.
    wide = os.environ | {"COLUMNS": "110"}
    text = subprocess.run([requant, *command, "--help"], env=wide, capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if line.startswith("  requant "):
            yield re.split(r"\s{2,}", line.strip())[0]
    _, _, below = text.partition("\nCommands:\n")
    for name in re.findall(r"^  ([a-z]+) ", below.partition("\n\n")[0], re.MULTILINE):
        if name != "help":
            yield from examples(*command, name)


def write_head(path):
    """An ellipsoid in a cube of 240 mm around the scanner's origin, as an image (NIfTI-1, 8 bits, 4 mm)."""
    n, step = 60, 4.0
    first = -step * (n - 1) / 2
    places = [(first + step * i) ** 2 for i in range(n)]
    voxels = bytes(200 * (x / 75**2 + y / 95**2 + z / 70**2 < 1) for z in places for y in places for x in places)
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, n, n, n, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<5f", header, 76, 1, step, step, step, 1)
    struct.pack_into("<2f", header, 108, 352, 1)
    header[123] = 2
    struct.pack_into("<2h", header, 252, 0, 1)
    for row in range(3):
        struct.pack_into("<4f", header, 280 + 16 * row, *(step * (row == column) for column in range(3)), first)
    header[344:348] = b"n+1\0"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(bytes(header) + voxels))


def give_place(path, size_mm):
    """Puts the grid of an MRS file (NIfTI-2) into the head, whose header has none that can be."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    dims = struct.unpack_from("<3q", content, 24)
    struct.pack_into("<2i", content, 344, 0, 1)
    for row, (n, size) in enumerate(zip(dims, size_mm)):
        struct.pack_into("<4d", content, 400 + 32 * row, *(size * (row == column) for column in range(3)), -size * (n - 1) / 2)
    path.write_bytes(gzip.compress(bytes(content)))


def make(folder):
    """The files that examples name. `bids`, `demo` and heads are simulated, all others real."""

    folder.mkdir()

    def run(line):
        done = subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stdout[-500:]}{done.stderr[-500:]}"

    def place(name, source):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder / name)

    for subject in ("sub-01", "sub-02"):
        shutil.copytree(data / f"philips-sdat/press35-{subject.replace('-', '')}", folder / f"scans/one/{subject}", copy_function=shutil.copy)
    for suffix in ("SDAT", "SPAR"):
        (acquired,) = (folder / "scans/one/sub-01").glob(f"*_act.{suffix.lower()}")
        for name in ("scan", "nulled"):
            place(f"{name}.{suffix}", acquired)
    for name, source in {
        "press35.basis": "basis/lcmodel/3T_PRESS_Philips_35ms_noMM.BASIS",
        "set.basis": "lcmodel-test/3t.basis",
        "data.RAW": "lcmodel-test/data.raw",
        "meas.dat": "siemens-twix/sub-SiemensBrainPhantom_seq-svsse_ref-1_avg-1.twix",
        "mega.nii.gz": "nifti-mrs/mega-synthetic/jdifference_nifti_SMART_MRS_EX.nii.gz",
        "mrsi/mrsi.nii.gz": "nifti-mrs/mrsi-16x16/2D_MRSI_from_rds.nii.gz",
        "lcmodel-output/svs_97.CSV": "lcmodel-output/svs_97.CSV",
        "tarquin.txt": "tarquin-output/tarquin_results.txt",
    }.items():
        place(name, data / source)
    for name, source in {"data.H2O": "data.RAW", "meas_MID00042.dat": "meas.dat", "water.dat": "meas.dat"}.items():
        place(name, folder / source)
    # A corpus under the names that examples have: sub-01, one voxel.
    run("requant simulate --out simulated --subjects 3")

    def short(text):
        return re.sub(r"_voi-[a-z]+", "", text.replace("sub-00", "sub-"))

    for path in sorted((folder / "simulated").rglob("*")):
        named = folder / "demo" / short(str(path.relative_to(folder / "simulated")))
        if path.is_file():
            named.parent.mkdir(parents=True, exist_ok=True)
            assert not named.exists(), named
            shutil.copy(path, named)
            if path.suffix in (".csv", ".json", ".tsv"):
                named.write_text(short(path.read_text()))
    shutil.rmtree(folder / "simulated")
    for path in folder.glob("demo/sub-*/mrs/*.nii.gz"):
        give_place(path, (20, 25, 20))
    shutil.copytree(folder / "demo", folder / "bids")
    for name in ("T1", "sub-01_T1w", "MNI152_T1_1mm", *(f"bids/sub-{i:02}/anat/sub-{i:02}_T1w" for i in (1, 2, 3))):
        write_head(folder / f"{name}.nii.gz")
    place("mrsi.nii.gz", folder / "mrsi/mrsi.nii.gz")
    give_place(folder / "mrsi.nii.gz", (10, 10, 15))
    place("sub-01_svs.nii.gz", folder / "demo/sub-01/mrs/sub-01_svs.nii.gz")
    lines = ["subject\ttransform_path"]
    for subject in ("sub-01", "sub-02", "sub-03"):
        name = f"bids/derivatives/prep/{subject}/anat/{subject}_from-T1w_to-MNI152NLin6Asym_mode-image_xfm.txt"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(
            "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
            "Parameters: 1 0 0 0 1 0 0 0 1 2 -1 3\nFixedParameters: 0 0 0\n"
        )
        lines.append(f"{subject}\t{name}")
    (folder / "list.tsv").write_text("\n".join(lines))
    (folder / "data").symlink_to(data)
    (folder / "filter.json").write_text('{"svs": {"suffix": "svs"}}')
    (folder / "site.toml").write_text('[sequence]\nname = "press"\nvendor = "ge"\nte_ms = 35.0\nte1_ms = 14.85\n')
    shares = "".join(f"sub-{i:02}/mrs/sub-{i:02}_svs\t0.6\t0.2\t0.2\n" for i in (1, 2, 3))
    (folder / "fractions.tsv").write_text(f"spectrum_id\tf_gm\tf_wm\tf_csf\n{shares}")
    (folder / "my-constants.toml").write_text("[water_scaling]\n")
    (folder / "manifest.csv").write_text("path\nscan.SDAT\n")
    (folder / "sites.csv").write_text("path,subject\nscan.SDAT,01\n")
    shutil.copy(folder / "demo/participants.tsv", folder / "participants.tsv")
    people = [line.split("\t")[0] for line in (folder / "participants.tsv").read_text().splitlines()[1:]]
    (folder / "people.csv").write_text("\n".join(["participant_id,diagnosis", *(f"{one},control" for one in people)]))
    (folder / "panss.tsv").write_text("\n".join(["participant_id\tpanss", *(f"{one}\t{60 + i}" for i, one in enumerate(people))]))
    run("requant methods --toml map > mine.toml && sed -i 's/^name = .*/name = \"mine\"/' mine.toml")
    run("requant basis convert press35.basis raw --format raw")
    run("requant run demo --curves --out results")
    run("requant run demo --method map --method lcmodel --out results-2")
    run("requant run scans --basis press35.basis --curves --out flagged-1")
    # The header of this file has neither.
    (folder / "mrsi.csv").write_text("path,te_s,sequence\nmrsi/mrsi.nii.gz,0.03,PRESS\n")
    run("requant run mrsi.csv --engine cpu --method varpro --out grid")
    for n in (3, 16):
        for i in range(n):
            run(f"requant run demo --engine cpu --shard {i + 1}/{n} --out shards-{n}")
    run("requant run demo --out run-map && requant run demo --learn protocol --out run-learned")
    for i in (1, 2, 3):
        run(f"requant run demo --engine cpu --shard {i}/3 --out node{i}")
    run("requant learn bids --out learned")
    run("requant describe results --template > people.toml")


with tempfile.TemporaryDirectory() as top:
    top = Path(top)
    (top / "bin").mkdir()
    (top / "bin/requant").symlink_to(requant)
    environment = os.environ | {"PATH": f"{top}/bin:{os.environ['PATH']}", "REQUANT_CACHE_DIR": f"{top}/cache"}
    found = sorted(set(examples()))
    said = subprocess.run([requant, "devices", "--json"], capture_output=True, text=True, check=True).stdout
    if not json.loads(said)["devices"]:
        LEFT_OUT["requant devices --check"] = (1, "a GPU, and a binary with the engine for it")
    make(top / "made")
    failed, left_out = [], dict.fromkeys(LEFT_OUT, 0)
    for i, line in enumerate(found):
        beginning = next((one for one in LEFT_OUT if line.startswith(one)), None)
        if beginning is not None:
            left_out[beginning] += 1
            continue
        folder = top / f"tried-{i}"
        shutil.copytree(top / "made", folder, symlinks=True)
        instead = next((name for one, name in INSTEAD.items() if line.startswith(one)), None)
        if instead is not None:
            shutil.rmtree(folder / "results")
            (folder / instead).rename(folder / "results")
        # Where an example writes what the folder has, it is the one that makes it.
        for name in re.findall(r"--out (\S+)|> (\S+)|convert \S+ (\S+)|plan \S+ --manifest (\S+)", line):
            made = folder / "".join(name)
            if "--overwrite" in line:
                continue
            shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
        text = line.replace("~", str(folder / "home")).replace(" /data", f" {folder}/bids").replace(" /out", f" {folder}/out")
        (folder / "home/.local/share/bash-completion/completions").mkdir(parents=True)
        for name in (".config/fish/completions", ".zfunc"):
            (folder / "home" / name).mkdir(parents=True)
        if line.endswith(" --resume"):
            text = f"{text.removesuffix(' --resume')} && {text}"
        if line == "requant bids /data /out group":
            text = text.replace(" group", " participant") + f" && {text}"
        done = subprocess.run(["sh", "-c", text], cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            failed.append(line)
            print(f"{line}\n  exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()[-500:]}", flush=True)
        shutil.rmtree(folder)
    assert left_out == {one: n for one, (n, _) in LEFT_OUT.items()}, left_out
    n_run = len(found) - sum(left_out.values())
    assert n_run > 60, n_run
    if failed:
        raise SystemExit(f"{len(failed)} of {n_run} examples failed")
    print(f"{n_run} examples of --help run, {sum(left_out.values())} left out for want of their data")

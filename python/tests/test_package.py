"""Tables of finished runs, acquisitions, the command."""

import inspect
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
import requant

from conftest import COMMAND, command


def test_a_finished_run_is_joined_with_units(results):
    run = requant.open(results)
    assert run.units["te_s"] == "s" and run.units["conc_lcmodel_mmol_per_kg"] == "mmol/kg" and run.units["metabolite"] == ""
    assert run.definitions["te_s"] and run.run["run_id"] and run.curves.num_rows == 0
    frame = run.to_pandas()
    assert len(frame) == run.metabolites.num_rows > 3 * 20
    assert frame.attrs["units"]["te_s"] == "s"
    assert list(frame["snr"].groupby(frame["spectrum_id"]).nunique()) == [1, 1, 1]
    assert not [name for name in frame if name.endswith(("_x", "_y"))]
    polars = run.to_polars()
    assert polars.shape == frame.shape and polars["te_s"].to_list() == frame["te_s"].tolist()
    assert polars["amplitude"].to_list() == frame["amplitude"].tolist()


def test_an_acquisition_goes_to_a_file_and_comes_back(file, tmp_path):
    data = requant.read(file)
    data.save(tmp_path / "copy.nii.gz")
    again = requant.read(tmp_path / "copy.nii.gz")
    assert np.array_equal(again.samples, data.samples) and again.header == data.header
    assert np.array_equal(again.affine_mm, data.affine_mm)
    with pytest.raises(requant.RequantError) as caught:
        data.save(tmp_path / "copy.nii.gz")
    assert caught.value.code == "not_written"


def test_axes_of_arrays_are_filled_in_front():
    for shape, full in [((64,), (1, 1, 1, 1, 64)), ((8, 64), (1, 1, 8, 1, 64)), ((8, 4, 64), (1, 1, 8, 4, 64))]:
        assert requant.Acquisition(np.ones(shape, complex)).shape == full


def test_the_command_is_the_program(tmp_path):
    assert command("--version").startswith(f"requant {requant.__version__}")
    command("run", tmp_path / "nothing", "--out", tmp_path / "out", code=66)
    command("run", code=2)
    as_module = subprocess.run([sys.executable, "-m", "requant", "--version"], capture_output=True, text=True)
    assert as_module.stdout == command("--version")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_command_stops_when_asked_and_goes_on(corpus, tmp_path):
    many = tmp_path / "many"
    command("simulate", "--out", many, "--subjects", 60)
    line = [COMMAND, "run", many, "--engine", "cpu", "--method", "map", "--method", "lcmodel", "--out", tmp_path / "out"]
    with subprocess.Popen(list(map(str, line)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (tmp_path / "out").is_dir():
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 75


def test_other_threads_run_during_a_fit(files):
    data = [requant.read(file).samples[0, 0, 0, 0] for file in files[:1]]
    header = {k: v for k, v in requant.read(files[0]).header.items() if v is not None}
    counts, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counts[0] += 1
            time.sleep(0.001)

    other = threading.Thread(target=count)
    other.start()
    before, started = counts[0], time.monotonic()
    requant.fit_many(np.stack(data * 20), **header)
    took = time.monotonic() - started
    ran, _ = counts[0] - before, done.set()
    other.join()
    # With the lock held it would have been once or twice.
    assert ran > 20 * min(took, 1.0)


def test_everything_public_says_what_it_is():
    for name in requant.__all__:
        thing = getattr(requant, name)
        if inspect.isfunction(thing) or inspect.isclass(thing):
            assert inspect.getdoc(thing), name

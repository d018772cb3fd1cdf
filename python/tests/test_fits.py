"""Fits from Python are the command's, bit for bit."""

import numpy as np
import pyarrow as pa
import pytest
import requant

# What says where a row is from, not what it holds.
ORIGIN = {"spectrum_id", "source_path", "source_sha256", "inputs_sha256", "water_reference_path", "subject", "session", "site", "voi"}


def rows(table, left_out=ORIGIN):
    """Rows as texts: equal texts are equal numbers, and NaN is NaN."""
    kept = [name for name in table.column_names if name not in left_out]
    return [repr(row) for row in table.select(kept).to_pylist()]


def of_run(table, file, corpus):
    name = str(file.relative_to(corpus)).removesuffix(".nii.gz")
    return table.filter(pa.compute.equal(table["spectrum_id"], name))


@pytest.fixture(scope="module")
def run(results):
    return requant.open(results, curves=True)


def check(tables, run, file, corpus, left_out=ORIGIN):
    for name in ("spectra", "metabolites", "curves"):
        own, expected = getattr(tables, name), of_run(getattr(run, name), file, corpus)
        assert own.num_rows == expected.num_rows > 0
        assert rows(own, left_out) == rows(expected, left_out), name


def test_a_file_gives_the_rows_of_a_run(files, run, corpus):
    assert len(files) == 3
    for file in files:
        check(requant.fit(file), run, file, corpus)


def test_what_was_read_gives_the_rows_of_a_run(file, run, corpus):
    data = requant.read(file)
    assert data.shape == data.samples.shape and data.samples.dtype == np.complex128
    water = requant.read(str(file).replace("_svs", "_mrsref"))
    check(requant.fit(data, water=water), run, file, corpus)
    spectra = requant.prepare(data, water=water)
    assert len(spectra) == 1 and spectra[0].fid.dtype == np.complex128
    check(requant.fit(spectra[0]), run, file, corpus)
    check(requant.fit(requant.prepare(file)[0]), run, file, corpus)


def arrays(files):
    """FIDs and water of files of one protocol, with its header."""
    first = requant.read(files[0])
    alike = [f for f in files if requant.read(f).header == first.header]
    fids = np.stack([requant.read(f).samples[0, 0, 0, 0] for f in alike])
    water = np.stack([requant.read(str(f).replace("_svs", "_mrsref")).samples[0, 0, 0, 0] for f in alike])
    return alike, fids, water, {k: v for k, v in first.header.items() if v is not None}


def test_arrays_give_the_rows_of_a_run(files, run, corpus):
    alike, fids, water, header = arrays(files)
    tables = requant.fit_many(fids, water=water, curves=True, ids=[f.name for f in alike], **header)
    # A file states where its voxel is, or that it does not; an array does not.
    left_out = ORIGIN | {"voxel_affine_mm", "voxel_ml", "voxel_placed_by", "grid_i", "grid_j", "grid_k", "warnings"}
    for file in alike:
        own = requant.Tables(
            *(t.filter(pa.compute.equal(t["spectrum_id"], file.name)) for t in (tables.spectra, tables.metabolites, tables.curves))
        )
        check(own, run, file, corpus, left_out)
    one = requant.fit(fids[0], water=water[0], **header)
    assert rows(one.metabolites) == rows(tables.metabolites)[: one.metabolites.num_rows]


def test_columns_are_handed_over_without_a_copy(files):
    _, fids, _, header = arrays(files)
    settings = requant._native.Settings(["map"], None, None, False, True, header)
    native = requant._native.fit_array(settings, ["a"], fids[:1], None)
    first, second = (pa.table(native.metabolites)["amplitude"].chunk(0).buffers()[1].address for _ in range(2))
    assert first == second


def test_a_basis_set_in_memory_is_that_of_its_file(file, tmp_path):
    header = {k: v for k, v in requant.read(file).header.items() if k in ("te_s", "f0_mhz", "dwell_s", "te1_s", "pulses", "vendor")}
    basis = requant.simulate_basis(requant.read(file).header["sequence"], n_points=1024, **header)
    assert basis.fids.shape == (len(basis), 1024) and "NAA" in basis.metabolites
    basis.save(tmp_path / "set")
    read = requant.read_basis(tmp_path / "set")
    assert sorted(read.metabolites) == sorted(basis.metabolites)
    by_path, by_set = requant.fit(file, tmp_path / "set"), requant.fit(file, read)
    assert rows(by_path.metabolites, set()) == rows(by_set.metabolites, set())
    assert rows(by_path.spectra, set()) == rows(by_set.spectra, set())
    # Simulated in memory and written: the same samples, but the file's singlets are looked at once more.
    own = requant.fit(file, basis).metabolites
    assert own.num_rows == by_path.metabolites.num_rows


def test_several_methods_give_several_rows(file):
    tables = requant.fit(file, method=["map", "lcmodel-fast"], curves=False)
    assert tables.spectra["method"].to_pylist() == ["map", "lcmodel-fast"]
    assert tables.curves.num_rows == 0
    assert set(requant.methods()) >= {"map", "lcmodel", "gannet"}

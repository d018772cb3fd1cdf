"""What is refused is an exception with the code of the tables."""

import numpy as np
import pytest
import requant


def fid(n=1024):
    noise = np.random.default_rng(1).standard_normal((2, n))
    return np.exp(-np.arange(n) / 100) * np.exp(0.7j * np.arange(n)) * 100 + noise[0] + 1j * noise[1]


HEADER = {"dwell_s": 5e-4, "f0_mhz": 123.2, "te_s": 0.03, "sequence": "PRESS"}


def code_of(error, call, *arguments, **named):
    with pytest.raises(error) as caught:
        call(*arguments, **named)
    assert isinstance(caught.value, requant.RequantError) and str(caught.value)
    return caught.value.code


def test_files(tmp_path):
    (tmp_path / "empty.nii").write_bytes(b"")
    (tmp_path / "other.nii").write_bytes(b"no image" * 100)
    assert code_of(requant.ReadError, requant.read, tmp_path / "nothing.nii") == "unreadable_file"
    assert code_of(requant.ReadError, requant.read, tmp_path / "empty.nii") == "empty_file"
    assert code_of(requant.ReadError, requant.read, tmp_path / "other.nii")
    assert code_of(requant.ReadError, requant.fit, tmp_path / "nothing.nii") == "no_input"
    assert code_of(requant.FitError, requant.fit, tmp_path / "empty.nii") == "empty_file"
    assert code_of(requant.PrepareError, requant.prepare, tmp_path / "empty.nii") == "empty_file"
    assert code_of(requant.BasisSetError, requant.read_basis, tmp_path / "other.nii") == "basis"
    assert code_of(requant.BasisSetError, requant.fit, fid(), tmp_path / "no.basis", **HEADER) == "basis"
    assert code_of(requant.ReadError, requant.open, tmp_path) == "unreadable_results"


def test_headers():
    assert code_of(requant.FitError, requant.fit, fid(), dwell_s=5e-4) == "missing_field"
    assert code_of(requant.FitError, requant.fit, fid(), dwell_s=5e-4, f0_mhz=123.2) == "basis_header"
    assert code_of(requant.FitError, requant.fit, fid(), **HEADER | {"dwell_s": 5.0}) == "implausible_field"
    assert code_of(requant.BasisSetError, requant.simulate_basis, "FLASH", n_points=512, dwell_s=5e-4, f0_mhz=123.2, te_s=0.03)
    with pytest.raises(ValueError, match="no `echo_time`"):
        requant.fit(fid(), echo_time=30)


def test_samples():
    bad = fid()
    bad[7] = np.nan
    assert code_of(requant.PrepareError, requant.prepare, bad, **HEADER) == "not_finite"
    assert code_of(requant.FitError, requant.fit, np.zeros(1024, complex), **HEADER) == "no_signal"
    for shape in [(), (0,), (1, 1, 1, 1, 1, 64)]:
        with pytest.raises(ValueError):
            requant.Acquisition(np.zeros(shape, complex))
    with pytest.raises(ValueError, match="spectrum, point"):
        requant.fit_many(fid(), **HEADER)
    with pytest.raises(ValueError, match="one entry"):
        requant.fit_many(np.stack([fid(), fid()]), ids=["a"], **HEADER)


def test_one_bad_row_of_many_is_a_row():
    fids = np.stack([fid(), np.full(1024, np.nan), np.zeros(1024)]).astype(complex)
    spectra = requant.fit_many(fids, ids=["good", "nan", "zero"], **HEADER).spectra
    assert spectra["status"].to_pylist() == ["ok", "failed", "failed"]
    assert spectra["error_code"].to_pylist() == [None, "not_finite", "no_signal"]


def test_methods(tmp_path):
    (tmp_path / "own.toml").write_text("name = 3")
    assert code_of(requant.MethodError, requant.fit, fid(), method="lcmodle", **HEADER) == "method"
    assert code_of(requant.MethodError, requant.fit, fid(), method=tmp_path / "own.toml", **HEADER) == "method"

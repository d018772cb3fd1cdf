"""The verbs: read, prepare, fit, simulate_basis."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from . import _native
from ._native import Acquisition, Basis, FitError, Spectrum
from ._tables import Tables

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    PathLike = Union[str, os.PathLike[str]]
    Complex = npt.NDArray[np.complex128]


def read(path: PathLike) -> Acquisition:
    """Read a file, or the folder of a scan, of any format that requant knows.

    Gives an `Acquisition`: `samples` is complex128 of shape (voxel, condition, transient, coil, point), `header` a dict (times
    in s, frequencies in MHz; None for what the file does not state), `water` the reference that the same file holds.

    Raises ReadError, which names the file, what is wrong, and what to do.
    """
    return _native.read(os.fspath(path))


def read_basis(path: PathLike) -> Basis:
    """Read a basis set: LCModel `.BASIS`, or a folder of `.RAW`, FSL-MRS JSON or NIfTI-MRS files.

    Gives a `Basis`: `fids` is complex128 of shape (metabolite, point), `metabolites` their names. Raises BasisSetError.
    """
    return _native.read_basis(os.fspath(path))


def simulate_basis(
    sequence: str,
    *,
    te_s: float,
    f0_mhz: float,
    dwell_s: float,
    n_points: int,
    te1_s: Optional[float] = None,
    tm_s: Optional[float] = None,
    pulses: Optional[str] = None,
    vendor: Optional[str] = None,
    metabolites: Optional[Sequence[str]] = None,
) -> Basis:
    """Simulate the basis set that a run would make for such a header.

    sequence: PRESS, STEAM, sLASER, SPECIAL, spin-echo, or a vendor's name of one.
    te_s, te1_s, tm_s: echo time, first echo of PRESS, mixing time of STEAM (s).
    f0_mhz: spectrometer frequency (MHz); sets are made in steps of 0.01 MHz.
    dwell_s, n_points: time between two samples (s), and their number.
    pulses, vendor: whose refocusing pulses: `ideal`, `generic`, `Siemens`, `Philips`, `GE`; what was taken stands in `remarks`.
    metabolites: names; those of a brain where they are left out.

    Amplitudes are in protons, lines 1 Hz wide. Raises BasisSetError.
    """
    header = {
        "sequence": sequence,
        "te_s": te_s,
        "f0_mhz": f0_mhz,
        "dwell_s": dwell_s,
        "te1_s": te1_s,
        "tm_s": tm_s,
        "pulses": pulses,
        "vendor": vendor,
    }
    return _native.simulate_basis(header, n_points, None if metabolites is None else list(metabolites))


def methods() -> dict[str, str]:
    """Give the built-in methods: name and a sentence. `requant methods NAME` prints the settings of one."""
    return dict(_native.methods())


def prepare(
    what: Union[PathLike, Acquisition, Complex],
    *,
    water: Union[PathLike, Acquisition, Complex, None] = None,
    **header: Any,
) -> list[Spectrum]:
    """Prepare a measurement: coils combined, transients aligned, averaged and judged, eddy currents and residual water removed.

    what: a path, an `Acquisition`, or a complex array of shape (point,), (transient, point) or (transient, coil, point).
    water: its reference without water suppression; of a path the one that belongs to it by its name, where none is given.
    header: what the file does not state, as in `fit`.

    Gives one `Spectrum` for each voxel and condition (edited data give their differences, too), with `fid` (complex128, shape
    (point,)), `record` and `flags`. Raises PrepareError for what cannot be prepared, ReadError for what cannot be read.
    """
    settings = _native.Settings(["map"], None, None, False, True, header)
    if _is_path(what):
        return _native.prepare_file(settings, os.fspath(what), _path_or_none(water))
    return _native.prepare(settings, "array", _acquisition(what), _acquisition_or_none(water))


def fit(
    what: Union[PathLike, Acquisition, Spectrum, Complex],
    basis: Union[PathLike, Basis, None] = None,
    *,
    method: Union[str, Sequence[str]] = "map",
    water: Union[PathLike, Acquisition, Complex, None] = None,
    learned: Optional[PathLike] = None,
    curves: bool = True,
    prepare: bool = True,
    id: str = "array",
    **header: Any,
) -> Tables:
    """Fit the spectra of a measurement as `requant run` does, on the processor.

    what: a path, an `Acquisition`, a prepared `Spectrum`, or a complex array of shape (point,), (transient, point) or
        (transient, coil, point), which needs `dwell_s` and `f0_mhz`.
    basis: path or `Basis`; simulated from the header where it is left out (`sequence` and `te_s` must be known then).
    method: a name of `requant.methods()` or a `.toml` file; several give each spectrum several rows.
    water: as in `prepare`.
    learned: folder that `requant learn` wrote.
    curves: whether to keep data, fit, baseline and components.
    prepare: False for data that are averaged and corrected already: they are taken as they are.
    id: `spectrum_id` of what is no file.
    header: what the data do not state: dwell_s, te_s, te1_s, tr_s, tm_s (s), f0_mhz (MHz), sequence, pulses, vendor, nucleus.

    Gives `Tables` with the rows that a run would write. A row may be flagged, and one of several may have failed: look at
    `spectra`. Raises FitError where no spectrum could be fitted, with the code and message of the first; ReadError,
    BasisSetError, MethodError.
    """
    if isinstance(what, Spectrum) and (header or water is not None or not prepare):
        raise TypeError("a Spectrum is prepared: give header and water to requant.prepare")
    settings = _settings(basis, method, learned, curves, prepare, header)
    if isinstance(what, Spectrum):
        made = _native.fit_spectrum(settings, what)
    elif _is_path(what):
        made = _native.fit_file(settings, os.fspath(what), _path_or_none(water))
    else:
        made = _native.fit_acquisition(settings, id, _acquisition(what), _acquisition_or_none(water))
    tables = Tables._of(made)
    _raise_where_none_was_fitted(tables)
    return tables


def fit_many(
    fids: Complex,
    basis: Union[PathLike, Basis, None] = None,
    *,
    dwell_s: float,
    f0_mhz: float,
    ids: Optional[Sequence[str]] = None,
    method: Union[str, Sequence[str]] = "map",
    water: Optional[Complex] = None,
    learned: Optional[PathLike] = None,
    curves: bool = False,
    prepare: bool = True,
    **header: Any,
) -> Tables:
    """Fit many FIDs of one protocol on all cores, each as `fit` would.

    fids: complex128 of shape (spectrum, point), one averaged FID a row.
    dwell_s, f0_mhz: time between two samples (s), spectrometer frequency (MHz).
    ids: `spectrum_id` of each; "0", "1", … where they are left out.
    water: complex128 of shape (spectrum, point), a reference for each.
    Others: as in `fit`.

    Gives `Tables`, whose columns are handed over without a copy. What cannot be fitted is a row of `spectra` with `status`
    "failed", `error_code` and `error_message`; nothing is raised for it.
    """
    import numpy as np

    fids = np.asarray(fids, dtype=np.complex128)
    if fids.ndim != 2:
        raise ValueError(f"fids of shape {fids.shape}: (spectrum, point) is asked for")
    if water is not None:
        water = np.asarray(water, dtype=np.complex128)
    ids = [str(i) for i in range(len(fids))] if ids is None else [str(i) for i in ids]
    header |= {"dwell_s": dwell_s, "f0_mhz": f0_mhz}
    return Tables._of(_native.fit_array(_settings(basis, method, learned, curves, prepare, header), ids, fids, water))


def _settings(basis, method, learned, curves, prepare, header):
    basis = basis if basis is None or isinstance(basis, Basis) else os.fspath(basis)
    names = [method] if isinstance(method, (str, os.PathLike)) else list(method)
    names = [os.fspath(name) for name in names]
    return _native.Settings(names, basis, None if learned is None else os.fspath(learned), curves, prepare, header)


def _is_path(what) -> bool:
    return isinstance(what, (str, os.PathLike))


def _path_or_none(water):
    if water is None or _is_path(water):
        return None if water is None else os.fspath(water)
    raise TypeError("the water reference of a file is a file; read both for arrays")


def _acquisition(what) -> Acquisition:
    if isinstance(what, Acquisition):
        return what
    import numpy as np

    return Acquisition(np.asarray(what, dtype=np.complex128))


def _acquisition_or_none(water):
    if water is None:
        return None
    return read(water) if _is_path(water) else _acquisition(water)


def _raise_where_none_was_fitted(tables: Tables) -> None:
    import pyarrow.compute as pc

    failed = pc.not_equal(tables.spectra["status"], "ok")
    if len(failed) > 0 and pc.all(failed).as_py():
        error = FitError(tables.spectra["error_message"][0].as_py())
        error.code = tables.spectra["error_code"][0].as_py()
        raise error

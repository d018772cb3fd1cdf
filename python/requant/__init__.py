"""Consistent quantification of ¹H-MR spectra, from Python.

    import requant
    fits = requant.fit("sub-01_svs.nii.gz", basis="press35.basis")   # as `requant run` fits it
    fits.metabolites                                                  # a pyarrow.Table; units in fits.units
    requant.open("results").to_pandas()                               # the tables of a finished run, joined

Arrays are NumPy's. Times are in s, frequencies in MHz (the spectrometer's) or Hz, chemical shifts in ppm. The chemical
shift of a frequency f (Hz) is 4.65 ppm - f/f0, as in stored NIfTI-MRS: conjugate samples that come out mirrored.

What is refused is a `RequantError`; its `code` is the word that the tables of a run would have. The command `requant` is
installed with this package.
"""

from ._fitting import fit, fit_many, methods, prepare, read, read_basis, simulate_basis
from ._native import (
    Acquisition,
    Basis,
    BasisSetError,
    FitError,
    MethodError,
    PrepareError,
    ReadError,
    RequantError,
    Spectrum,
    __version__,
)
from ._tables import Results, Tables, open

__all__ = [
    "Acquisition",
    "Basis",
    "BasisSetError",
    "FitError",
    "MethodError",
    "PrepareError",
    "ReadError",
    "RequantError",
    "Results",
    "Spectrum",
    "Tables",
    "__version__",
    "fit",
    "fit_many",
    "methods",
    "open",
    "prepare",
    "read",
    "read_basis",
    "simulate_basis",
]

"""Reads simulated or converted spectra with nibabel and checks that they are valid NIfTI-MRS.

python3 scripts/check-nifti.py FOLDER. Needs nibabel; where nifti-mrs is installed, its validator looks, too. Checks the
intent name, the JSON header extension (code 44) with its required keys and what was done last, both forms of the voxel's
place, complex samples, dwell time and dimensions.
"""

import json
import pathlib
import sys

import nibabel

try:
    from nifti_mrs import nifti_mrs
    from nifti_mrs.validator import validate_nifti_mrs as validate
except ImportError:
    validate = None

files = sorted(pathlib.Path(sys.argv[1]).rglob("*.nii.gz"))
assert files, "no NIfTI files"
for path in files:
    image = nibabel.load(path)
    header = image.header
    assert header.get_intent()[2].startswith("mrs_v0"), f"{path}: intent {header.get_intent()}"
    extensions = [e for e in header.extensions if e.get_code() == 44]
    assert len(extensions) == 1, f"{path}: {len(extensions)} extensions of code 44"
    content = extensions[0].get_content()
    raw = content if isinstance(content, (bytes, str)) else json.dumps(content)
    meta = json.loads(raw.rstrip(b"\0") if isinstance(raw, bytes) else raw)
    for key in ("SpectrometerFrequency", "ResonantNucleus"):
        assert isinstance(meta[key], list), f"{path}: {key}"
    for key in ("EchoTime", "RepetitionTime"):
        assert meta.get(key, 1) > 0, f"{path}: {key}"
    step = meta["ProcessingApplied"][-1]
    assert step["Program"] == "requant" and step["Version"] and step["Method"], f"{path}: {step}"
    # Where the voxel is placed, both forms say the same, and the grid's spacing is its size.
    if header["sform_code"] > 0:
        assert header["qform_code"] > 0, f"{path}: no qform"
        assert abs(image.get_qform() - image.get_sform()).max() < 1e-4, f"{path}: qform and sform differ"
    sizes = (image.affine[:3, :3] ** 2).sum(axis=0) ** 0.5
    assert abs(sizes - header["pixdim"][1:4]).max() < 1e-4, f"{path}: {sizes} {header['pixdim'][1:4]}"
    samples = image.dataobj
    assert samples.dtype.kind == "c", f"{path}: {samples.dtype}"
    assert image.shape[3] >= 32, f"{path}: {image.shape}"
    assert 1e-5 < header["pixdim"][4] < 1e-2, f"{path}: dwell {header['pixdim'][4]}"
    for dimension in range(5, len(image.shape) + 1):
        assert meta[f"dim_{dimension}"].startswith("DIM_"), f"{path}: dim_{dimension}"
    if validate:
        validate(nifti_mrs.NIFTI_MRS(path))
print(f"{len(files)} files are valid NIfTI-MRS")

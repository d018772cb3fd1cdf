"""Reads simulated spectra with nibabel and checks that they are valid NIfTI-MRS.

python3 scripts/check-nifti.py FOLDER. Needs nibabel; checks the intent name, the JSON header extension (code 44) with its
required keys, complex samples, dwell time and dimensions.
"""

import json
import pathlib
import sys

import nibabel

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
        assert meta[key] > 0, f"{path}: {key}"
    samples = image.dataobj
    assert samples.dtype.kind == "c", f"{path}: {samples.dtype}"
    assert image.shape[:3] == (1, 1, 1) and image.shape[3] >= 256, f"{path}: {image.shape}"
    assert 1e-5 < header["pixdim"][4] < 1e-2, f"{path}: dwell {header['pixdim'][4]}"
    for dimension in range(5, len(image.shape) + 1):
        assert meta[f"dim_{dimension}"].startswith("DIM_"), f"{path}: dim_{dimension}"
print(f"{len(files)} files are valid NIfTI-MRS")

#!/usr/bin/env python3
"""Makes the edited example of the guide: MEGA-PRESS of a brain, both conditions, with noise, drift and phase jitter.

    requant basis simulate --sequence mega-press --te 68 --edit on  --field-mhz 123.25 --points 2048 --format fsl-json --out ON
    requant basis simulate --sequence mega-press --te 68 --edit off --field-mhz 123.25 --points 2048 --format fsl-json --out OFF
    python3 scripts/simulate-mega.py ON OFF OUT.nii

Writes NIfTI-MRS (NIfTI-2, complex64). The same input gives the same output. No library.
"""
import array
import cmath
import json
import math
import os
import random
import struct
import sys

# mmol/kg, as in grey matter.
BRAIN = {
    "NAA": 10.0, "NAAG": 1.5, "Cr": 4.5, "PCr": 4.0, "GPC": 1.2, "PCh": 0.5, "Glu": 10.0, "Gln": 2.5, "Ins": 6.5, "Scyllo": 0.3,
    "GABA": 1.6, "GSH": 1.5, "Asp": 2.0, "Tau": 1.2, "Lac": 0.7, "Asc": 1.0,
}
# The macromolecule that editing brings back with GABA: place (ppm), width (Hz), signal in units of the above.
MACROMOLECULE = (3.0, 16.0, 2.4)
TRANSIENTS = 64
LORENTZ_HZ, GAUSS_HZ = 3.0, 3.5
NOISE = 12.0
DRIFT_HZ, JITTER_HZ, JITTER_DEG = 6.0, 0.6, 8.0
F0_MHZ = 123.25
# NIfTI: complex64, seconds and millimetres, and the extension of NIfTI-MRS.
COMPLEX64, UNITS, MRS_EXTENSION = 32, 10, 44


def members(folder):
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            basis = json.load(file)["basis"]
        yield name.removesuffix(".json"), basis


def condition(folder, is_on):
    fid, dwell_s = None, None
    for name, basis in members(folder):
        dwell_s = basis["basis_dwell"]
        fid = fid or [0j] * len(basis["basis_re"])
        amount = BRAIN.get(name, 0.0)
        for n, (re, im) in enumerate(zip(basis["basis_re"], basis["basis_im"])):
            fid[n] += amount * complex(re, im)
    ppm, width_hz, signal = MACROMOLECULE
    for n in range(len(fid)):
        t = n * dwell_s
        decay = math.exp(-math.pi * LORENTZ_HZ * t - (math.pi * GAUSS_HZ * t) ** 2 / (4 * math.log(2)))
        line = cmath.exp(2j * math.pi * (4.65 - ppm) * F0_MHZ * t - (math.pi * width_hz * t) ** 2 / (4 * math.log(2)))
        fid[n] = fid[n] * decay + (signal * line if is_on else 0)
    return fid, dwell_s


def main():
    on, off, out = sys.argv[1:4]
    draw = random.Random(20)
    samples = array.array("f")
    for is_on, folder in ((True, on), (False, off)):
        fid, dwell_s = condition(folder, is_on)
        for transient in range(TRANSIENTS):
            # Conditions alternate: OFF comes half a step later.
            part = (transient + (0.0 if is_on else 0.5)) / TRANSIENTS
            hz = DRIFT_HZ * (part - 0.5) + draw.gauss(0, JITTER_HZ)
            phase = math.radians(draw.gauss(0, JITTER_DEG))
            for n, clean in enumerate(fid):
                value = clean * cmath.exp(1j * (phase + 2 * math.pi * hz * n * dwell_s))
                samples.extend((value.real + draw.gauss(0, NOISE), value.imag + draw.gauss(0, NOISE)))
    told = {
        "SpectrometerFrequency": [F0_MHZ], "ResonantNucleus": ["1H"], "EchoTime": 0.068, "RepetitionTime": 2.0,
        "Manufacturer": "Siemens", "SequenceName": "MEGA-PRESS", "WaterSuppressed": True,
        "dim_5": "DIM_DYN", "dim_6": "DIM_EDIT", "dim_6_header": {"EditCondition": ["ON", "OFF"]},
        "EditPulse": {"ON": {"PulseOffset": 1.9}, "OFF": {"PulseOffset": 7.5}},
    }
    text = json.dumps(told).encode()
    text += b"\0" * (-(len(text) + 8) % 16)
    begin = 544 + 8 + len(text)
    header = bytearray(540)
    struct.pack_into("<i8shh", header, 0, 540, b"n+2\0\r\n\x1a\n", COMPLEX64, 64)
    struct.pack_into("<8q", header, 16, 6, 1, 1, 1, len(samples) // (4 * TRANSIENTS), TRANSIENTS, 2, 1)
    struct.pack_into("<8d", header, 104, 1.0, 30.0, 30.0, 30.0, dwell_s, 1.0, 1.0, 1.0)
    struct.pack_into("<q", header, 168, begin)
    struct.pack_into("<d", header, 176, 1.0)
    struct.pack_into("<ii", header, 344, 0, 2)
    for row in range(3):
        struct.pack_into("<4d", header, 400 + 32 * row, *[30.0 if row == column else 0.0 for column in range(4)])
    struct.pack_into("<i", header, 500, UNITS)
    struct.pack_into("<16s", header, 508, b"mrs_v0_9")
    with open(out, "wb") as file:
        file.write(bytes(header) + b"\1\0\0\0" + struct.pack("<ii", 8 + len(text), MRS_EXTENSION) + text + samples.tobytes())


if __name__ == "__main__":
    main()

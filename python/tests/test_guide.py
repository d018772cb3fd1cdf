"""docs/guide/python.md does what it says, line by line, on real files under the names that it has."""

import ast
import os
import re
from pathlib import Path

import numpy as np
import pytest
import requant

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("REQUANT_TEST_DATA", ROOT / "../shared/data")).resolve()


def own_fids():
    """Two noisy spectra of the protocol that the page gives for arrays of one's own."""
    basis = requant.simulate_basis("PRESS", te_s=0.03, f0_mhz=123.2, dwell_s=5e-4, n_points=2048, vendor="Siemens")
    fid = basis.fids.sum(0) * np.exp(-np.pi * 5 * 5e-4 * np.arange(2048))
    noise = np.random.default_rng(1).normal(size=(2, 2048, 2)) @ [1, 1j] * 0.01 * abs(fid[0])
    return fid + noise


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real files at {DATA}")
def test_every_line_of_the_guide_runs(results, tmp_path, monkeypatch):
    scan = DATA / "philips-sdat/press35-sub01"
    for suffix in ("SDAT", "SPAR"):
        for kind, name in (("act", "scan"), ("ref", "scan_ref")):
            (tmp_path / f"{name}.{suffix}").symlink_to(next(scan.glob(f"*_{kind}.{suffix.lower()}")))
    (tmp_path / "press35.basis").symlink_to(DATA / "basis/lcmodel/3T_PRESS_Philips_35ms_noMM.BASIS")
    (tmp_path / "meas_MID00042.dat").symlink_to(next((DATA / "siemens-twix").glob("*svsse*.twix")))
    (tmp_path / "results").symlink_to(results)
    monkeypatch.chdir(tmp_path)

    page = (ROOT / "docs/guide/python.md").read_text(encoding="utf-8")
    names, n_shown = {"own_fids": own_fids}, 0
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        for line in ast.parse(block.replace("fids = ...", "fids = own_fids()")).body:
            if not isinstance(line, ast.Expr):
                exec(compile(ast.Module([line], []), "guide", "exec"), names)
                continue
            shown = eval(compile(ast.Expression(line.value), "guide", "eval"), names)
            assert shown is not None and (not hasattr(shown, "__len__") or len(shown) > 0), ast.unparse(line)
            n_shown += 1
    assert n_shown >= 9
    # The last fits of arrays are those of one's own FIDs.
    assert names["fits"].spectra["status"].to_pylist() == ["ok", "ok"]

"""Draws how far amplitudes of `map` and `lcmodel` are from the truth at each linewidth, from results of a simulated corpus.

    requant simulate --recipe datasets/benchmark/wide.toml --out wide
    requant run wide --method map --method lcmodel --out results
    python scripts/draw-map-and-lcmodel.py results wide/truth --out docs/pictures/map-and-lcmodel.svg
"""

import argparse
from pathlib import Path

import matplotlib
import pandas as pd

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "requant", "svg.fonttype": "none", "font.size": 9})
import matplotlib.pyplot as plt  # noqa: E402

SUMS = {"tCr": ["Cr", "PCr"], "tNAA": ["NAA", "NAAG"], "tCho": ["GPC", "PCh"], "Glx": ["Glu", "Gln"], "Ins": ["Ins"]}
COLOURS = {"map": "#0072b2", "lcmodel": "#d55e00"}


def truth(folder):
    """Amplitudes of the sums, and the Lorentzian width (Hz), a row a spectrum."""
    table = pd.read_csv(folder / "truth.csv", index_col="id")
    sums = pd.DataFrame({name: table[members].sum(axis=1) for name, members in SUMS.items()})
    return sums.assign(lorentz_hz=pd.read_csv(folder / "nuisances.csv", index_col="spectrum_id")["lorentz_hz"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    true = truth(arguments.truth)
    rows = pd.read_parquet(arguments.results / "metabolites", columns=["spectrum_id", "method", "metabolite", "amplitude"])
    figure, axes = plt.subplots(1, len(SUMS), figsize=(9, 2.6), sharey=True, layout="constrained")
    for axis, name in zip(axes, SUMS):
        for method, colour in COLOURS.items():
            here = rows[(rows["method"] == method) & (rows["metabolite"] == name)].set_index("spectrum_id")["amplitude"]
            over = 100 * (here / true[name] - 1)
            axis.plot(true["lorentz_hz"], over, ".", color=colour, alpha=0.35, markersize=4, rasterized=True)
            bins = pd.cut(true["lorentz_hz"], [1, 2, 3, 4, 5, 6])
            medians = over.groupby(bins, observed=True).median()
            axis.plot([each.mid for each in medians.index], medians, "-o", color=colour, markersize=4, label=method)
            print(f"{name} {method}: {over.mean():+.1f} % in the mean; medians {medians.round(1).tolist()}")
        axis.axhline(0, color="#666666", linewidth=0.8)
        axis.set(title=name, xlim=(0.8, 6.2), ylim=(-45, 30), xlabel="Lorentz (Hz)")
    axes[0].set_ylabel("amplitude − truth (%)")
    axes[0].legend(frameon=False, loc="lower left")
    figure.savefig(arguments.out, dpi=120, metadata={"Date": None})


if __name__ == "__main__":
    main()

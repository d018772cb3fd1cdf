"""Open the tables of a run, join participants.tsv, test a group difference and draw it.

    pip install pyarrow pandas matplotlib
    python examples/python/group_difference.py results demo/participants.tsv --metabolite Glu --out glutamate.svg

The model is the one of a mega-analysis at its simplest: the group's effect within each site, sites weighted by what
they know (inverse variance).
"""

import argparse

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow.dataset as ds


def load(results, participants, metabolite, column):
    # Fitted spectra alone have rows here. `spectra` says what became of the others, and has the columns to leave spectra out
    # by (snr, fwhm_hz, qc_flags), joined on spectrum_id and method: whoever analyses decides that.
    table = ds.dataset(f"{results}/metabolites").to_table(
        columns=["spectrum_id", "method", "subject", "site", "voi", column], filter=ds.field("metabolite") == metabolite
    ).to_pandas()
    people = pd.read_csv(participants, sep="\t", dtype={"participant_id": str})
    people["subject"] = people["participant_id"].str.removeprefix("sub-")
    # The site stands in both; the run's is the one that the fit knew.
    people = people.drop(columns=[c for c in ("site",) if c in people and table["site"].notna().any()])
    table = table.merge(people, on="subject", validate="many_to_one")
    return table[table[column].notna()]


def difference_by_site(table, column, groups):
    a, b = groups
    effects = []
    for site, at_site in table.groupby("site", dropna=False):
        x, y = (at_site.loc[at_site["group"] == g, column] for g in (a, b))
        if min(len(x), len(y)) < 3:
            continue
        mean = x.mean()
        sd = np.sqrt(x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y))
        effects.append((site, 100 * (y.mean() / mean - 1), 100 * sd / mean, len(x) + len(y)))
    return pd.DataFrame(effects, columns=["site", "percent", "sd", "n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("participants")
    parser.add_argument("--metabolite", default="Glu")
    parser.add_argument("--column", default="ratio_tcr", help="ratio_tcr, conc_lcmodel_mmol_per_kg, …")
    parser.add_argument("--out", default="group_difference.svg")
    args = parser.parse_args()

    table = load(args.results, args.participants, args.metabolite, args.column)
    groups = sorted(table["group"].unique())[:2]
    effects = difference_by_site(table, args.column, groups)
    if effects.empty:
        raise SystemExit("no site has three spectra in each of two groups")
    weight = 1 / effects["sd"] ** 2
    pooled, pooled_sd = (weight * effects["percent"]).sum() / weight.sum(), weight.sum() ** -0.5
    print(effects.to_string(index=False, float_format="%.2f"))
    print(f"{groups[1]} less {groups[0]}, {args.metabolite}: {pooled:+.2f} % ± {pooled_sd:.2f} % ({len(table)} spectra)")

    figure, axes = plt.subplots(figsize=(6, 1.2 + 0.28 * len(effects)))
    place = np.arange(len(effects))[::-1] + 1
    axes.errorbar(effects["percent"], place, xerr=1.96 * effects["sd"], fmt="s", color="0.3", capsize=2)
    axes.errorbar([pooled], [0], xerr=[1.96 * pooled_sd], fmt="D", color="C3", capsize=3)
    axes.axvline(0, color="0.8", zorder=0)
    axes.set_yticks([*place, 0], [*effects["site"].fillna("–"), "all"])
    axes.set_xlabel(f"{args.metabolite}: {groups[1]} less {groups[0]} (%), 95 % interval")
    figure.tight_layout()
    figure.savefig(args.out)
    print(args.out)


if __name__ == "__main__":
    main()

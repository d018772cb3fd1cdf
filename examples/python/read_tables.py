"""Open the tables of a run with pyarrow, join participants.tsv, and describe a metabolite by site and group.

    pip install pyarrow pandas
    python examples/python/read_tables.py results demo/participants.tsv --metabolite Glu

It describes, and tests nothing: rows are not people, and sites differ. The analysis of a study is `requant export` and
`examples/group/`.
"""

import argparse

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
    people = people.drop(columns=[name for name in ("site",) if name in people and table["site"].notna().any()])
    table = table.merge(people, on="subject", how="left", validate="many_to_one")
    return table[table[column].notna()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("participants")
    parser.add_argument("--metabolite", default="Glu")
    parser.add_argument("--column", default="ratio_tcr", help="ratio_tcr, conc_lcmodel_mmol_per_kg, …")
    args = parser.parse_args()

    table = load(args.results, args.participants, args.metabolite, args.column)
    if table.empty:
        parser.exit(1, f"no values of {args.metabolite} in {args.results}\n")
    described = table.groupby(["method", "voi", "site", "group"], dropna=False)[args.column]
    print(described.agg(n="count", mean="mean", sd="std").round(4).to_string())


if __name__ == "__main__":
    main()

"""Tables of fits and of finished runs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from ._native import ReadError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow as pa

#: What a metabolite's row has of its spectrum.
KEY = ("spectrum_id", "method")


@dataclass(frozen=True)
class Tables:
    """Rows of fits as Arrow tables.

    spectra: one row for each spectrum and method, whether it was fitted or not (`status`, `error_code`, `qc_flags`).
    metabolites: one row for each metabolite and sum of those that were fitted.
    curves: data, fit, baseline and components of each fit, or no rows where they were not kept.

    Columns are those of a run: docs/reference/columns.md defines them, and so does the metadata of each field.
    """

    spectra: pa.Table
    metabolites: pa.Table
    curves: pa.Table

    @classmethod
    def _of(cls, native) -> Tables:
        import pyarrow as pa

        return cls(pa.table(native.spectra), pa.table(native.metabolites), pa.table(native.curves))

    @property
    def units(self) -> dict[str, str]:
        """The unit of each column of `spectra` and `metabolites`; empty for texts, counts and ratios."""
        return self._of_fields(b"unit")

    @property
    def definitions(self) -> dict[str, str]:
        """What each column of `spectra` and `metabolites` holds."""
        return self._of_fields(b"definition")

    def _of_fields(self, key: bytes) -> dict[str, str]:
        # Columns that both tables have mean the same in both.
        fields = [*self.metabolites.schema, *self.spectra.schema]
        return {field.name: (field.metadata or {}).get(key, b"").decode() for field in fields}

    def to_pandas(self) -> pandas.DataFrame:
        """One row for each metabolite, joined with the columns of its spectrum; units in `frame.attrs["units"]`.

        Spectra that could not be fitted have no metabolites and are not in it: `spectra` says what became of them.
        """
        joined = self.metabolites.to_pandas().merge(
            self._others().to_pandas(), on=list(KEY), how="left", validate="many_to_one"
        )
        joined.attrs["units"] = {name: unit for name, unit in self.units.items() if unit}
        return joined

    def to_polars(self) -> polars.DataFrame:
        """As `to_pandas`, for polars; units in `units`."""
        import polars

        joined = polars.from_arrow(self.metabolites).join(
            polars.from_arrow(self._others()), on=list(KEY), how="left", validate="m:1", maintain_order="left"
        )
        return joined

    def _others(self) -> pa.Table:
        """The spectra without what the metabolites' rows say themselves."""
        own = set(self.metabolites.column_names) - set(KEY)
        return self.spectra.select([name for name in self.spectra.column_names if name not in own])


@dataclass(frozen=True)
class Results(Tables):
    """The tables of a finished run.

    path: its folder. run: what `run.json` holds: version, command, settings, basis sets, hashes.
    """

    path: Path
    run: dict[str, Any]


def open(results: Union[str, os.PathLike[str]], *, curves: bool = False) -> Results:
    """Open the folder that `requant run` wrote.

    curves: whether to read the curves, too; they are as large as all else by far.

    Gives `Results`: Arrow tables with units, and `to_pandas` and `to_polars` for joined frames. Raises ReadError where there
    is no finished run.
    """
    import pyarrow.dataset as ds

    path = Path(results)
    record = path / "run.json"
    if not record.is_file():
        raise _unreadable(path, "no finished run: run.json is not there (requant status says how far it is)")
    try:
        run = json.loads(record.read_text(encoding="utf-8"))
        tables = {name: _table(ds, path / name) for name in ("spectra", "metabolites")}
        drawn: Optional[pa.Table] = _table(ds, path / "curves") if curves else None
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(path, str(error)) from error
    if drawn is None:
        import pyarrow as pa

        drawn = pa.table({})
    return Results(tables["spectra"], tables["metabolites"], drawn, path, run)


def _table(ds, folder: Path) -> Optional[pa.Table]:
    if not folder.is_dir():
        if folder.name == "curves":
            return None
        raise ValueError(f"its table {folder.name} is not there; run it again")
    return ds.dataset(folder, format="parquet").to_table()


def _unreadable(path: Path, why: str) -> ReadError:
    error = ReadError(f"{path}: {why}")
    error.code = "unreadable_results"
    return error

"""Holds text tables of `requant export`, as pandas or R read them, to the Parquet files beside them."""

import json
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

folder, reader = Path(sys.argv[1]), sys.argv[2]
tables = sorted(path.stem for path in folder.glob("*.parquet"))
assert {"analysis", "long", "summary", "flow", "shares", "sites", "demographics", "unmatched"} <= set(tables), tables


def same(name, found, expected, kind):
    """Numbers equal to 1e-15, texts equal, and missing where the other is."""
    assert found.isna().tolist() == expected.isna().tolist(), (name, "missing")
    found, expected = found[expected.notna()], expected[expected.notna()]
    if kind == "text":
        assert found.astype(str).tolist() == expected.tolist(), name
        return
    assert pd.api.types.is_numeric_dtype(found) or found.empty, (name, found.dtype)
    found, expected = (values.to_numpy(dtype=float) for values in (found, expected))
    assert np.all(np.abs(found - expected) <= 1e-15 * np.abs(expected)), name


def sheet(path):
    """Cells of a workbook's first sheet, by place."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        root = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    return [["".join(cell.itertext()) for cell in row] for row in root.iter(f"{space}row")]


def calculated(path):
    """Columns of the first sheet that LibreOffice made of a workbook (flat OpenDocument)."""
    office, sheets, text = (f"{{urn:oasis:names:tc:opendocument:xmlns:{part}:1.0}}" for part in ("office", "table", "text"))
    rows = []
    for row in next(ElementTree.parse(path).iter(f"{sheets}table")).iter(f"{sheets}table-row"):
        cells = []
        for cell in row.iter(f"{sheets}table-cell"):
            value = cell.get(f"{office}value")
            cells += [float(value) if value else "\n".join("".join(p.itertext()) for p in cell.iter(f"{text}p")) or None] * int(cell.get(f"{sheets}number-columns-repeated", 1))
        rows.append(cells)
    return rows


def check_calculated(path, expected, kinds):
    """Every cell that LibreOffice has is the one of the Parquet file, numbers as numbers (it writes 20 decimals, 15 digits at most)."""
    header, *rows = calculated(path)
    assert [name for name in header if name] == list(kinds), (path, header[:5])
    assert len([row for row in rows if any(cell is not None for cell in row)]) == len(expected), path
    for place, (name, kind) in enumerate(kinds.items()):
        for cell, value in zip((row[place] if place < len(row) else None for row in rows), expected[name]):
            if pd.isna(value) or value == "":
                assert cell is None, (path, name, cell)
            elif kind == "text":
                assert cell == value, (path, name, cell, value)
            else:
                assert isinstance(cell, float) and abs(cell - value) <= 1e-12 * abs(value) + 1e-18, (path, name, cell, value)


n_values = 0
for table in tables:
    parquet = pq.read_table(folder / f"{table}.parquet")
    expected = parquet.to_pandas()
    kinds = {f.name: "text" if str(f.type) == "string" else "number" for f in parquet.schema}
    texts = {name: str for name, kind in kinds.items() if kind == "text"}
    if reader == "LibreOffice":
        check_calculated(folder / f"{table}.fods", expected, kinds)
        n_values += expected.size
        continue
    if reader == "pandas":
        # As anybody reads it: numbers must come out as numbers by themselves.
        plain = pd.read_csv(folder / f"{table}.tsv", sep="\t")
        for name, kind in kinds.items():
            assert kind == "text" or plain[name].isna().all() or pd.api.types.is_numeric_dtype(plain[name]), (table, name, plain[name].dtype)
        found = [
            pd.read_csv(folder / f"{table}.tsv", sep="\t", dtype=texts, keep_default_na=False, na_values=["n/a"]),
            pd.read_csv(folder / f"{table}.csv", dtype=texts, keep_default_na=False, na_values=[""]),
        ]
        cells = sheet(folder / f"{table}.xlsx")
        assert cells[0] == list(kinds), (table, cells[0][:5])
        filled = int(expected.replace("", np.nan).notna().to_numpy().sum())
        assert sum(len(row) for row in cells[1:]) == filled, table
    else:
        found = [pd.read_csv(folder / f"{table}.{form}.R", dtype=texts, keep_default_na=False, na_values=["<missing>"]) for form in ("tsv", "csv")]
        classes = json.loads((folder / f"{table}.classes.json").read_text())
        for name, kind in kinds.items():
            wanted = {"text": {"character"}, "number": {"numeric", "integer"}}[kind]
            # A column without any value has no type in R, and one of whole numbers is a label in nobody's program.
            is_open = expected[name].isna().all() or (kind == "text" and expected[name].dropna().str.fullmatch(r"[\d.]+|T|F").all())
            assert is_open or classes[name] in wanted, (table, name, classes[name])
    dictionary = json.loads((folder / f"{table}.json").read_text())
    for frame in found:
        assert list(frame.columns) == list(kinds) and set(dictionary) == set(kinds), table
        for name, kind in kinds.items():
            same(f"{table} {name}", frame[name], expected[name], kind)
            n_values += len(expected)
print(f"{reader}: {len(tables)} tables, {n_values} values as in Parquet")

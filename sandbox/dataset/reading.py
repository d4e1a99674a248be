"""Read dataset files: the header tells the format, every cell is checked, and the first fault is named by row and column."""

import csv
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

import polars as pl

from domain.errors import DatasetMalformed
from domain.platforms import Platform
from sandbox.dataset.checks import complaints, typed
from sandbox.dataset.columns import FORMATS, Format

ROW = "_row"
FILE = "_file"


def read(paths: Sequence[Path]) -> dict[str, pl.DataFrame]:
    """Read the files into one typed frame per format (`ads`, `analytics`, `visits`).

    Amounts are millionths in Int64, a missing optional column is left out. Raises DatasetMalformed for the first bad row of a file.
    """
    frames: dict[str, list[pl.DataFrame]] = {layout.name: [] for layout in FORMATS}
    for number, path in enumerate(paths):
        layout, text = _load(path)
        _check_cells(path, layout, text)
        columns = [typed(c, layout.kind(c)) for c in text.columns if c != ROW]
        frames[layout.name].append(text.select(*columns, ROW, pl.lit(number, pl.Int32).alias(FILE)))
    found = {}
    for layout in FORMATS:
        if frames[layout.name]:
            frame = pl.concat(frames[layout.name], how="diagonal")
            _check_across(paths, layout, frame)
            found[layout.name] = frame.drop(ROW, FILE)
    return found


def _load(path: Path) -> tuple[Format, pl.DataFrame]:
    """Read a file as text, with the row number of each line (the header is row 1)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    except (OSError, csv.Error) as error:
        raise DatasetMalformed(path, 1, "", f"the file cannot be read: {error}") from error
    layout = _format(path, header)
    try:
        text = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise _broken(path, header, str(error)) from error
    text = text.rename(dict(zip(text.columns, header, strict=True))).fill_null("")
    return layout, text.with_row_index(ROW, offset=2)


def _format(path: Path, header: list[str]) -> Format:
    """Tell the format by the columns; complain about a missing, doubled or unknown one."""
    if not header:
        raise DatasetMalformed(path, 1, "", "the file is empty")
    layout = max(FORMATS, key=lambda f: len(set(header) & (set(f.columns) | set(f.optional))) / len(f.columns))
    for column in header:
        if header.count(column) > 1:
            raise DatasetMalformed(path, 1, column, "stands twice in the header")
    for column in layout.columns:
        if column not in header:
            raise DatasetMalformed(path, 1, column, f"is missing from the header of the {layout.name} format")
    known = [*layout.columns, *layout.optional]
    for column in header:
        if column not in known:
            nearest = get_close_matches(column, known, n=1)
            raise DatasetMalformed(path, 1, column, f"is no column of the {layout.name} format" + (f"; is {nearest[0]!r} meant?" if nearest else ""))
    return layout


def _not_utf8(path: Path) -> DatasetMalformed:
    body = path.read_bytes()
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        return DatasetMalformed(path, body[: error.start].count(b"\n") + 1, "", "is not UTF-8")
    return DatasetMalformed(path, 1, "", "cannot be decoded")


def _broken(path: Path, header: list[str], why: str) -> DatasetMalformed:
    """Find the row that the CSV reader stumbled over."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, cells in enumerate(csv.reader(file, strict=True), 1):
                if cells and len(cells) != len(header):
                    return DatasetMalformed(path, number, header[min(len(cells), len(header)) - 1], f"the row has {len(cells)} cells, the header {len(header)}")
    except UnicodeDecodeError:
        return _not_utf8(path)
    except csv.Error as error:
        return DatasetMalformed(path, number + 1, header[-1], f"the row breaks the CSV quoting: {error}")
    return DatasetMalformed(path, 1, header[0], why.splitlines()[0] if why else "the file is no CSV")


def _check_cells(path: Path, layout: Format, text: pl.DataFrame) -> None:
    """Raise for the earliest row with a bad cell."""
    worst: tuple[int, str, str, str] | None = None
    for column in text.columns:
        if column == ROW:
            continue
        for bad, why in complaints(column, layout.kind(column), layout):
            hit = text.filter(bad).select(ROW, column).head(1)
            if hit.height and (worst is None or hit.item(0, 0) < worst[0]):
                worst = (hit.item(0, 0), column, hit.item(0, 1), why)
    if layout.platforms:
        worst = _check_ids(layout, text, worst)
    if worst:
        raise DatasetMalformed(path, worst[0], worst[1], f"{worst[2][:60]!r} {worst[3]}" if worst[2] else worst[3])


def _check_ids(layout: Format, text: pl.DataFrame, worst: tuple[int, str, str, str] | None) -> tuple[int, str, str, str] | None:
    """Look for ids that cannot travel on the platform's wire, and for a finer id without the coarser one."""
    ids = [c for c in ("campaign_id", "ad_group_id", "ad_id") if c in layout.columns]
    rules: list[tuple[str, pl.Expr, str]] = []
    google = pl.col("platform") == Platform.GOOGLE_ADS.value
    for column in ["account_id", *ids]:
        value = pl.col(column)
        rules.append((column, google & (value != "") & ~value.str.contains(r"^[1-9]\d{0,17}$"), "is not a number, as ids of google_ads are (without dashes)"))
        rules.append((column, value.str.contains(r"""[\s/?&#%"'\\]"""), "holds a character that no id has"))
    for coarse, fine in pairwise(ids):
        rules.append((fine, (pl.col(fine) != "") & (pl.col(coarse) == ""), f"stands without {coarse}"))
    for column, bad, why in rules:
        hit = text.filter(bad).select(ROW, column).head(1)
        if hit.height and (worst is None or hit.item(0, 0) < worst[0]):
            worst = (hit.item(0, 0), column, hit.item(0, 1), why)
    return worst


def _check_across(paths: Sequence[Path], layout: Format, frame: pl.DataFrame) -> None:
    """Raise for a duplicate key, or for an account with two currencies or time zones."""
    key = [c for c in layout.key if c in frame.columns]
    again = frame.filter(~pl.struct(key).is_first_distinct()).select(ROW, FILE, *key).head(1)
    if again.height:
        shown = ", ".join(f"{c}={again.item(0, c)}" for c in key if again.item(0, c) not in ("", None))
        raise DatasetMalformed(paths[again.item(0, FILE)], again.item(0, ROW), key[-1] if len(key) < 3 else "date", f"duplicate key: {shown}")
    for column in ("currency", "timezone") if layout.platforms else ():
        first = frame.unique(["platform", "account_id"], keep="first", maintain_order=True).select("platform", "account_id", pl.col(column).alias("_first"))
        other = frame.join(first, on=["platform", "account_id"], how="left", maintain_order="left").filter(pl.col(column) != pl.col("_first")).head(1)
        if other.height:
            row = other.row(0, named=True)
            why = f"account {row['account_id']} has {row[column]} here and {row['_first']} before; an account has one {column}"
            raise DatasetMalformed(paths[row[FILE]], row[ROW], column, why)

"""Read a CSV file of costs: every value checked, the first bad one named by row and column, sums exact."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from zoneinfo import available_timezones

import polars as pl
import pyarrow as pa
from babel.core import get_global

from connectors.imports.mapping import CONSTANTS, OURS, FileMapping
from connectors.imports.reports import CAMPAIGN_DAILY
from domain.errors import ImportMalformed, UsageError

ROW = "_row"
FIRST_ROW = 2
"""The header is row 1."""

COUNTS, AMOUNTS = ("impressions", "clicks"), ("spend", "conversions", "conversions_value")
_AMOUNT = r"^\d{1,12}(\.\d{1,6}0*)?$"
_COUNT = r"^\d{1,15}$"
_BLANKS = "[   \u2009]"
_CURRENCIES = sorted({code for listed in get_global("territory_currencies").values() for code, _, end, tender in listed if end is None and tender})
"""The currencies that are somewhere legal tender today, ISO 4217."""
_DELIMITERS = {";": ";", "\t": "\\t", ",": ",", "|": "|"}
"""Common delimiters, as a mapping file writes them between double quotes."""
_DATE_WORDS = {"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%H": "hh", "%M": "mm", "%S": "ss"}
_CORRECT = "Correct the file or its mapping"
_OTHER_NUMBERS = "Name what the file writes in the mapping file with thousands and decimal, or correct the file"
_OTHER_DATES = 'Name how the file writes dates in the mapping file, e.g. date_format: "%d.%m.%Y", or correct the file'
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class ImportedAccount:
    """One account of a file with its rows in the report's schema."""

    account_id: str
    name: str
    currency: str
    timezone: str
    rows: pa.Table


@dataclass(frozen=True)
class ImportedFile:
    """A file that was read whole: its exact bytes, their SHA-256, its accounts, and the columns that nothing was read from."""

    body: bytes
    digest: str
    accounts: tuple[ImportedAccount, ...]
    ignored_columns: tuple[str, ...]


def read_file(path: Path, platform: str, mapping: FileMapping, given: Mapping[str, str], today: Callable[[str], date]) -> ImportedFile:
    """Read and check a file. `given` are the command's own values: they go before the mapping's constants and fill empty columns.

    `today` gives the date in a time zone: no row may be of a later one.
    Raises ImportMalformed for the first bad value, UsageError for a file or mapping that cannot be used as a whole.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read", why=str(error), fix="Pass the path of a CSV file") from error
    texts = _texts(path, body, mapping)
    typed = _typed(path, _named(path, texts, mapping, {k: v for k, v in given.items() if v}), platform, mapping)
    _require_past(path, typed, today)
    _require_unique(path, typed)
    read = {mapping.columns.get(ours, ours) for ours in OURS}
    ignored = tuple(name for name in texts.columns[1:] if name not in read)
    return ImportedFile(body, sha256(body).hexdigest(), tuple(_accounts(path, typed)), ignored)


def _texts(path: Path, body: bytes, mapping: FileMapping) -> pl.DataFrame:
    try:
        text = body.decode(mapping.encoding).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError) as error:
        raise UsageError(f"{path} is not {mapping.encoding}", why=str(error), fix="Name the encoding in the mapping file, e.g. encoding: cp1251") from error
    _require_delimiter(path, text, mapping)
    try:
        source = io.BytesIO(text.encode())
        frame = pl.read_csv(source, separator=mapping.delimiter, skip_lines=mapping.skip_rows, infer_schema=False)
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise UsageError(f"{path} does not read as CSV", why=str(error).splitlines()[0], fix="Check the delimiter in the mapping file") from error
    return frame.with_columns(pl.all().fill_null("").str.strip_chars()).with_row_index(ROW, offset=FIRST_ROW + mapping.skip_rows)


def _require_delimiter(path: Path, text: str, mapping: FileMapping) -> None:
    """Refuse a file whose header is separated by something else than the mapping says."""
    header = "".join(text.split("\n", mapping.skip_rows + 1)[mapping.skip_rows : mapping.skip_rows + 1])
    other = next((delimiter for delimiter in _DELIMITERS if delimiter in header), None)
    if other and mapping.delimiter not in header:
        raise UsageError(
            f"{path} is not separated by {mapping.delimiter!r}",
            why=f"Its header holds {other!r} instead",
            fix=f'Name it in the mapping file: delimiter: "{_DELIMITERS[other]}"',
        )


def _named(path: Path, frame: pl.DataFrame, mapping: FileMapping, given: Mapping[str, str]) -> pl.DataFrame:
    """Give the columns our names; what the file lacks comes from the command or the mapping's constants."""
    if missing := sorted(theirs for theirs in mapping.columns.values() if theirs not in frame.columns):
        raise UsageError(f"{path} has no column {', '.join(missing)}", why=f"Its columns: {', '.join(frame.columns[1:])}", fix="Correct the mapping file")
    constants = {**mapping.constants, **given}
    columns = [pl.col(ROW)]
    for ours in (*CAMPAIGN_DAILY.schema.names, *CONSTANTS):
        theirs = mapping.columns.get(ours, ours)
        if theirs in frame.columns:
            filler = constants.get(ours, "")
            columns.append(pl.when(pl.col(theirs) == "").then(pl.lit(filler)).otherwise(pl.col(theirs)).alias(ours))
        elif ours in constants:
            columns.append(pl.lit(constants[ours]).alias(ours))
    named = frame.select(*{str(c.meta.output_name()): c for c in columns}.values())
    return _completed(path, named)


def _completed(path: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """Require what nothing may be assumed for, and fill what may be absent."""
    example = "docs/connectors/import.md shows a mapping file"
    for ours in ("date", "spend"):
        if ours not in frame.columns:
            raise UsageError(f"{path} has no column {ours!r}", fix=f"Name it in the mapping file: {example}")
    for ours, option in (("account_id", "--account"), ("currency", "--currency"), ("timezone", "--timezone"), ("vat_included", "--vat yes|no")):
        if ours not in frame.columns:
            raise UsageError(f"{path} does not say its {ours}", why="It is never assumed", fix=f"Pass {option}, or name a column or constant: {example}")
    if not {"campaign_id", "campaign_name"} & set(frame.columns):
        raise UsageError(f"{path} has neither campaign_id nor campaign_name", fix=f"Name one in the mapping file: {example}")
    absent = {name: pl.lit("0") for name in (*COUNTS, *AMOUNTS) if name not in frame.columns}
    campaign = {"campaign_id": "campaign_name", "campaign_name": "campaign_id"}
    absent |= {name: pl.col(other) for name, other in campaign.items() if name not in frame.columns}
    absent |= {"account_name": pl.col("account_id")} if "account_name" not in frame.columns else {}
    filled = frame.with_columns(value.alias(name) for name, value in absent.items())
    return filled.with_columns(
        pl.when(pl.col("campaign_name") == "").then(pl.col("campaign_id")).otherwise(pl.col("campaign_name")).alias("campaign_name"),
        pl.when(pl.col("account_name") == "").then(pl.col("account_id")).otherwise(pl.col("account_name")).alias("account_name"),
    )


def _typed(path: Path, frame: pl.DataFrame, platform: str, mapping: FileMapping) -> pl.DataFrame:
    numbers = [pl.when(pl.col(name) == "").then(pl.lit("0")).otherwise(_plain(pl.col(name), mapping)).alias(name) for name in (*COUNTS, *AMOUNTS)]
    frame = frame.with_columns(numbers)
    dates = pl.col("date").str.to_date(mapping.date_format, strict=False)
    checks = [
        ("date", dates.is_null(), f"is not a date as {_shown(mapping.date_format)}", _OTHER_DATES),
        *((name, pl.col(name) == "", "is empty", _CORRECT) for name in ("campaign_id", "account_id")),
        *((name, pl.col(name).str.starts_with("-"), "is negative", _CORRECT) for name in (*COUNTS, *AMOUNTS)),
        *((name, ~pl.col(name).str.contains(_COUNT), "is not a whole number", _OTHER_NUMBERS) for name in COUNTS),
        *((name, ~pl.col(name).str.contains(_AMOUNT), "is not a plain decimal number with at most 6 decimals", _OTHER_NUMBERS) for name in AMOUNTS),
        ("currency", ~pl.col("currency").is_in(_CURRENCIES), "is not an ISO 4217 currency in use", _CORRECT),
        ("timezone", ~pl.col("timezone").is_in(list(available_timezones())), "is not an IANA time zone", _CORRECT),
        ("vat_included", ~pl.col("vat_included").str.to_lowercase().is_in(list(_YES)), "is neither yes nor no", _CORRECT),
    ]
    for column, bad, why, fix in checks:
        _refuse_first(path, frame.filter(bad), column, why, fix)
    return frame.with_columns(
        dates.alias("date"),
        pl.lit(platform).alias("platform"),
        *(pl.col(name).cast(pl.Int64) for name in COUNTS),
        *(pl.col(name).str.to_decimal(scale=6).cast(pl.Decimal(18, 6)) for name in AMOUNTS),
        pl.col("vat_included").str.to_lowercase().replace_strict(_YES, return_dtype=pl.Boolean),
    )


def _plain(value: pl.Expr, mapping: FileMapping) -> pl.Expr:
    """Write a number as we do: blanks and separators of thousands out, a point before the decimals."""
    if mapping.thousands:
        value = value.str.replace_all(_BLANKS, "") if mapping.thousands.isspace() else value.str.replace_all(mapping.thousands, "", literal=True)
    return value.str.replace(",", ".", literal=True) if mapping.decimal == "," else value


def _shown(date_format: str) -> str:
    """Write a date's form as people do: YYYY-MM-DD."""
    for directive, word in _DATE_WORDS.items():
        date_format = date_format.replace(directive, word)
    return date_format


def _refuse_first(path: Path, bad: pl.DataFrame, column: str, why: str, fix: str = _CORRECT) -> None:
    if bad.height:
        more = f" (and {bad.height - 1} more row{'s' if bad.height > 2 else ''})" if bad.height > 1 else ""
        raise ImportMalformed(path, int(bad[ROW][0]), column, f"{str(bad[column][0])!r} {why}{more}", fix)


def _require_past(path: Path, frame: pl.DataFrame, today: Callable[[str], date]) -> None:
    """Refuse a row of a day that has not begun in its account's time zone."""
    for zone in frame["timezone"].unique(maintain_order=True):
        late = frame.filter((pl.col("timezone") == zone) & (pl.col("date") > today(zone)))
        _refuse_first(path, late, "date", f"is still to come: today is {today(zone)} in {zone}", "Correct the year, or take the row out of the file")


def _require_unique(path: Path, frame: pl.DataFrame) -> None:
    """Refuse two rows of one account, day and campaign: added up they might count twice, and one of them would be lost."""
    key = ["account_id", "date", "campaign_id"]
    again = frame.with_columns(pl.col(ROW).min().over(key).alias("_first")).filter(pl.col(ROW) != pl.col("_first"))
    if again.height:
        row, first = int(again[ROW][0]), int(again["_first"][0])
        raise ImportMalformed(path, row, "campaign_id", f"{again['campaign_id'][0]!r} on {again['date'][0]} stands in row {first} already", _CORRECT)


def _accounts(path: Path, frame: pl.DataFrame) -> Iterator[ImportedAccount]:
    for (account_id,), part in frame.group_by("account_id", maintain_order=True):
        for column in ("currency", "timezone", "account_name"):
            _refuse_first(path, part.filter(pl.col(column) != part[column][0]), column, f"differs from {part[column][0]!r} within the account {account_id}")
        rows = part.sort("date", "campaign_id").select(CAMPAIGN_DAILY.schema.names).to_arrow().cast(CAMPAIGN_DAILY.schema)
        yield ImportedAccount(str(account_id), part["account_name"][0], part["currency"][0], part["timezone"][0], rows)

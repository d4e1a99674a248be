"""Rows again from landed bytes, without a network: by the very code that reads the live answers."""

import re
from collections.abc import Iterable, Iterator

import pyarrow as pa

from connectors.rows import drift
from connectors.yandex_direct.snapshots import rows_of
from connectors.yandex_direct.tsv import Tsv, ends
from domain.catalogue import Account, Report

_VAT = re.compile(rb"\bVAT (YES|NO)\b")


def replay(report: Report, account: Account, bodies: Iterable[bytes]) -> Iterator[pa.Table]:
    """Yield the rows of one load from its bodies, in their order; several reports may follow one another.

    The VAT flag is read from the report's title, where the pull wrote it. Raises IncompleteAnswer where a report lacks its total.
    """
    pieces = (body for body in bodies if body)
    if not report.date_column:
        yield from (rows_of(report, account, body) for body in pieces)
        return
    for first in pieces:
        tsv = Tsv(report, account, _vat_flag(report, account, first))
        for rows, _ in tsv.pieces(_one_report(first, pieces)):
            yield rows


def _one_report(first: bytes, following: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces up to the one that ends the report."""
    piece: bytes | None = first
    while piece is not None:
        yield piece
        piece = None if ends(piece) else next(following, None)


def _vat_flag(report: Report, account: Account, first: bytes) -> str:
    found = _VAT.search(first.partition(b"\n")[0])
    if found is None:
        raise drift(report, account, "IncludeVAT", "is missing: the title of the landed report does not name the VAT flag")
    return found[1].decode()

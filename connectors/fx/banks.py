"""The banks' answers, typed. A rate is never guessed: an answer that is not what was asked for is refused.

https://www.cbr.ru/development/SXML/ and https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
"""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit
from xml.etree import ElementTree as Xml

import httpx
import pyarrow as pa

from connectors.fx.reports import CBR_RATES, ECB_RATES
from connectors.patience import Patience
from domain.catalogue import Page, Report
from domain.errors import IncompleteAnswer, TransientFailure
from domain.windows import DateWindow

PLATFORM = "fx"
_NOT_QUOTED = "N/A"


class Bank:
    """One bank's address over HTTP."""

    def __init__(self, name: str, endpoint: str, patience: Patience | None = None, transport: httpx.BaseTransport | None = None) -> None:
        self.name = name
        self._endpoint = endpoint.rstrip("/")
        self._patience = patience or Patience()
        local = urlsplit(endpoint).hostname in {"127.0.0.1", "localhost", "::1"}
        self._client = httpx.Client(timeout=httpx.Timeout(60.0, connect=10.0), trust_env=not local, transport=transport, follow_redirects=True)

    def get(self, path: str, **parameters: str) -> bytes:
        """Return an answer's bytes. Raises TransientFailure when the bank does not answer, after bounded retries."""

        def once() -> bytes:
            try:
                response = self._client.get(self._endpoint + path, params=parameters)
                response.raise_for_status()
            except httpx.HTTPError as error:
                raise TransientFailure(
                    f"{self.name} does not answer",
                    platform=PLATFORM,
                    why=str(error),
                    fix="Sync again later; what is stored stays, and nothing is converted by a guess",
                ) from error
            return response.content

        return self._patience.call(once)

    def close(self) -> None:
        """Release connections."""
        self._client.close()


def cbr_pages(bank: Bank, window: DateWindow) -> Iterator[Page]:
    """Yield the Bank of Russia's list of currencies, then the rates of each over the window; the last page carries the proof.

    Raises IncompleteAnswer where the answer's own window or currency is not the one that was asked for.
    """
    body = bank.get("/scripts/XML_daily.asp", date_req=f"{window.until:%d/%m/%Y}")
    listed = [(_attribute(valute, "ID"), _text(valute, "CharCode")) for valute in _root(body).findall("Valute")]
    if not listed:
        raise _incomplete("the Central Bank of Russia lists no currency", "XML_daily.asp answered without a single Valute")
    yield Page(CBR_RATES.schema.empty_table(), body, "application/xml")
    for number, (currency_id, char_code) in enumerate(listed, start=1):
        body = bank.get("/scripts/XML_dynamic.asp", date_req1=f"{window.since:%d/%m/%Y}", date_req2=f"{window.until:%d/%m/%Y}", VAL_NM_RQ=currency_id)
        root = _root(body)
        said = (_attribute(root, "ID"), _attribute(root, "DateRange1"), _attribute(root, "DateRange2"))
        if said != (currency_id, f"{window.since:%d.%m.%Y}", f"{window.until:%d.%m.%Y}"):
            raise _incomplete("the Central Bank of Russia answered something else", f"Asked for {currency_id} in {window}, the answer is for {said}")
        rows = [_cbr_row(record, currency_id, char_code) for record in root.findall("Record")]
        proof = f"{len(listed)} currencies, each over {window.since:%d.%m.%Y}–{window.until:%d.%m.%Y}" if number == len(listed) else ""
        yield Page(pa.Table.from_pylist(rows, CBR_RATES.schema), body, "application/xml", proof)


def ecb_pages(bank: Bank, window: DateWindow) -> Iterator[Page]:
    """Yield the European Central Bank's rates of a window in one page, cut out of its history file.

    Raises IncompleteAnswer where the archive is broken (its checksum says so) or holds something that is no rate.
    """
    body = bank.get("/stats/eurofxref/eurofxref-hist.zip")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            lines = list(csv.DictReader(io.StringIO(archive.read("eurofxref-hist.csv").decode("utf-8"))))
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, EOFError) as error:
        raise _incomplete("the European Central Bank's file cannot be opened", str(error)) from error
    days = [_iso(line.get("Date") or "") for line in lines]
    if not days:
        raise _incomplete("the European Central Bank's file is empty", "It has no line but its header")
    rows = [
        {"date": day, "currency": code.strip(), "rate": _decimal(value, ECB_RATES)}
        for day, line in zip(days, lines, strict=True)
        if window.since <= day <= window.until
        for code, value in line.items()
        if code and code.strip() and code != "Date" and value and value.strip() != _NOT_QUOTED
    ]
    proof = f"{len(days)} days from {min(days)} to {max(days)}, the archive's checksum fits"
    yield Page(pa.Table.from_pylist(rows, ECB_RATES.schema), body, "application/zip", proof)


PAGES: dict[str, Callable[[Bank, DateWindow], Iterator[Page]]] = {CBR_RATES.name: cbr_pages, ECB_RATES.name: ecb_pages}
"""How each report is read."""


def _cbr_row(record: Xml.Element, currency_id: str, char_code: str) -> dict[str, object]:
    nominal = _text(record, "Nominal")
    if not nominal.isdigit() or int(nominal) == 0:
        raise _incomplete("the Central Bank of Russia's answer has no nominal", f"{currency_id}: {nominal!r}")
    unit = record.findtext("VunitRate")
    return {
        "date": datetime.strptime(_attribute(record, "Date"), "%d.%m.%Y").replace(tzinfo=UTC).date(),
        "currency_id": currency_id,
        "char_code": char_code,
        "nominal": int(nominal),
        "value": _decimal(_text(record, "Value").replace(",", "."), CBR_RATES),
        "vunit_rate": unit,
    }


def _root(body: bytes) -> Xml.Element:
    """Parse an answer; windows-1251 is said in its first line."""
    try:
        return Xml.fromstring(body)  # noqa: S314  # house: a central bank's document; expat bounds entity expansion
    except Xml.ParseError as error:
        raise _incomplete("the Central Bank of Russia's XML breaks off", str(error)) from error


def _attribute(element: Xml.Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise _incomplete("the Central Bank of Russia refused the request", f"{element.tag} has no {name}: {(element.text or '').strip()}")
    return value.strip()


def _text(element: Xml.Element, name: str) -> str:
    value = element.findtext(name)
    if value is None:
        raise _incomplete("the Central Bank of Russia changed its answer", f"{element.tag} has no {name}")
    return value.strip()


def _decimal(text: str, report: Report) -> Decimal:
    try:
        value = Decimal(text.strip().replace("\xa0", ""))
    except InvalidOperation as error:
        raise _incomplete(f"{report.name} holds no number", repr(text)) from error
    if not value.is_finite() or value <= 0 or value != round(value, 6):
        raise _incomplete(f"{report.name} holds an impossible rate", repr(text))
    return value


def _iso(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise _incomplete("the European Central Bank's file holds no date", repr(text)) from error


def _incomplete(what: str, why: str) -> IncompleteAnswer:
    return IncompleteAnswer(what, platform=PLATFORM, why=why, fix="Nothing of it was stored; sync again, or compare connectors/fx with the bank's page")

"""The banks' addresses as they answer: windows-1251 XML with decimal commas, and a zipped CSV that ends its lines with a comma."""

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from xml.sax.saxutils import escape

from sandbox.clock import SandboxClock
from sandbox.rates.quotes import CURRENCIES, EUROPEAN, FIRST, Currency, per_euro, quote_days, roubles
from sandbox.web import Answer, Handler, Request
from sandbox.world import World

DAILY, DYNAMIC = "/scripts/XML_daily.asp", "/scripts/XML_dynamic.asp"
HISTORY = "/stats/eurofxref/eurofxref-hist.zip"
_XML = "application/xml; charset=windows-1251"
_HEAD = '<?xml version="1.0" encoding="windows-1251"?>'
_DAYS = 6 * 366
"""How many days the sandbox's file reaches back; the bank's own reaches back to 1999."""


class Rates:
    """Both banks on one server; a rate is published on its own day."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clock: SandboxClock = world.clock

    def __call__(self, request: Request) -> Answer:
        """Answer one request of either bank."""
        if request.path == DAILY:
            self._world.count("rates", "cbr daily")
            return self._daily(request.query.get("date_req", ""))
        if request.path == DYNAMIC:
            self._world.count("rates", "cbr dynamic")
            return self._dynamic(request)
        if request.path == HISTORY:
            self._world.count("rates", "ecb history")
            return self._history()
        return Answer(404, b"Not Found", content_type="text/plain")

    def _today(self) -> date:
        return self._clock.today("Europe/Moscow")

    def _daily(self, text: str) -> Answer:
        """Answer all currencies of a date; where it has no rates, those of the newest day before it, whose date the answer names."""
        asked = _day(text) if text else self._today()
        if asked is None:
            return _cbr("<ValCurs>Error in parameters</ValCurs>")
        days = list(quote_days(date.fromordinal(min(asked, self._today()).toordinal() - 7), min(asked, self._today())))
        if not days:
            return _cbr("<ValCurs>Error in parameters</ValCurs>")
        rows = "".join(_valute(currency, days[-1]) for currency in CURRENCIES)
        return _cbr(f'<ValCurs Date="{days[-1]:%d.%m.%Y}" name="Foreign Currency Market">{rows}</ValCurs>')

    def _dynamic(self, request: Request) -> Answer:
        """Answer one currency over a window; days without rates have no record."""
        since, until = (_day(request.query.get(name, "")) for name in ("date_req1", "date_req2"))
        currency = next((c for c in CURRENCIES if c.bank_id == request.query.get("VAL_NM_RQ", "").strip()), None)
        if since is None or until is None or since > until:
            return _cbr("<ValCurs>Error in parameters</ValCurs>")
        window = f'DateRange1="{since:%d.%m.%Y}" DateRange2="{until:%d.%m.%Y}" name="Foreign Currency Market Dynamic"'
        if currency is None:
            return _cbr(f'<ValCurs ID="{escape(request.query.get("VAL_NM_RQ", ""))}" {window}></ValCurs>')
        rows = "".join(_record(currency, day) for day in quote_days(since, min(until, self._today())))
        return _cbr(f'<ValCurs ID="{currency.bank_id}" {window}>{rows}</ValCurs>')

    def _history(self) -> Answer:
        """Answer the whole history, newest day first; what was not quoted is N/A."""
        today = self._clock.today("Europe/Berlin")
        days = list(quote_days(max(FIRST, date.fromordinal(today.toordinal() - _DAYS)), today))
        lines = ["Date," + ",".join((*EUROPEAN, "RUB")) + ","]
        lines += [f"{day.isoformat()}," + ",".join(str(per_euro(code, day)).rstrip("0").rstrip(".") for code in EUROPEAN) + ",N/A," for day in reversed(days)]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("eurofxref-hist.csv", (today.year, today.month, today.day, 16, 0, 0)), "\n".join(lines) + "\n")
        modified = datetime(today.year, today.month, today.day, 15, tzinfo=UTC)
        return Answer(200, packed.getvalue(), {"Last-Modified": f"{modified:%a, %d %b %Y %H:%M:%S} GMT"}, "application/zip")


def with_rates(handler: Handler, rates: Rates) -> Handler:
    """Let a server answer the banks' addresses too."""

    def answer(request: Request) -> Answer:
        return rates(request) if request.path in (DAILY, DYNAMIC, HISTORY) else handler(request)

    return answer


def _valute(currency: Currency, day: date) -> str:
    value = roubles(currency.code, day)
    return (
        f'<Valute ID="{currency.bank_id}"><NumCode>{currency.number}</NumCode><CharCode>{currency.code}</CharCode><Nominal>{currency.nominal}</Nominal>'
        f"<Name>{escape(currency.name)}</Name><Value>{_comma(value)}</Value><VunitRate>{_unit(value, currency.nominal)}</VunitRate></Valute>"
    )


def _record(currency: Currency, day: date) -> str:
    value = roubles(currency.code, day)
    return (
        f'<Record Date="{day:%d.%m.%Y}" Id="{currency.bank_id}"><Nominal>{currency.nominal}</Nominal><Value>{_comma(value)}</Value>'
        f"<VunitRate>{_unit(value, currency.nominal)}</VunitRate></Record>"
    )


def _unit(value: Decimal, nominal: int) -> str:
    return _comma((value / nominal).normalize())


def _comma(value: Decimal) -> str:
    return f"{value:f}".replace(".", ",")


def _cbr(body: str) -> Answer:
    return Answer(200, (_HEAD + body).encode("windows-1251"), content_type=_XML)


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=UTC).date()
    except ValueError:
        return None

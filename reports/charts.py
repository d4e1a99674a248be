"""Vega-Lite specifications of the two charts that reports, the API and dashboards show. No data but the given points."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from domain.documents import Chart, Document, Series
from domain.slots import platform_name

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH = 840
INK, MUTED, GRID, FIRST, SECOND = "#1b2430", "#6b7684", "#e3e7ec", "#2f6fed", "#e08a1e"
"""Colours of the light theme; `reports.svg` replaces each by a variable of the page."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
PLATFORM_COLOURS: Mapping[str, str] = {"google_ads": "#2f6fed", "meta_ads": "#7a5af5", "yandex_direct": "#e08a1e"}
WORDS: Mapping[str, Mapping[str, str]] = {
    "spend": {"en": "Spend", "ru": "Расход"},
    "conversions": {"en": "Conversions", "ru": "Конверсии"},
    "daily": {"en": "Spend and conversions by day", "ru": "Расход и конверсии по дням"},
    "platform": {"en": "Spend by platform", "ru": "Расход по платформам"},
    "now": {"en": "This period", "ru": "Этот период"},
    "before": {"en": "Period before", "ru": "Предыдущий период"},
}
_MONTHS_RU = ["янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"]


def trend(series: Series, language: str) -> dict[str, Any]:
    """Build the chart of spend (columns) over conversions (line) by day, the compared period as a pale line behind.

    `series` is of kind `daily`: labels are ISO dates, values may hold `previous_spend` and `previous_conversions`.
    """
    days: list[dict[str, Any]] = [{"date": day} for day in series.labels]
    for metric, values in series.values.items():
        for day, value in zip(days, values, strict=True):
            day[metric] = _float(value)
    panels = [
        _daily_panel("spend", f"{_word('spend', language)}, {series.currency}", "previous_spend" in series.values, language, last=False),
        _daily_panel("conversions", _word("conversions", language), "previous_conversions" in series.values, language, last=True),
    ]
    return _framed({"data": {"values": days}, "vconcat": panels, "spacing": 18}, language)


def by_platform(series: Series, language: str) -> dict[str, Any]:
    """Build the chart of spend by platform, this period beside the compared one."""
    rows = []
    for place, platform in enumerate(series.labels):
        for metric, word in (("spend", "now"), ("previous_spend", "before")):
            if metric in series.values:
                rows.append({"platform": platform_name(platform, language), "period": _word(word, language), "spend": _float(series.values[metric][place])})
    order = [_word("now", language), _word("before", language)]
    spec = {
        "data": {"values": rows},
        "width": WIDTH - 110,
        "height": {"step": 16},
        "mark": {"type": "bar", "cornerRadiusEnd": 2, "height": {"band": 0.86}},
        "encoding": {
            "y": {"field": "platform", "type": "nominal", "title": None, "sort": None, "axis": {"ticks": False, "domain": False, "labelPadding": 10}},
            "yOffset": {"field": "period", "sort": order},
            "x": {"field": "spend", "type": "quantitative", "title": f"{_word('spend', language)}, {series.currency}", "axis": {"tickCount": 5}},
            "color": {
                "field": "period",
                "type": "nominal",
                "title": None,
                "scale": {"domain": order, "range": [FIRST, GRID]},
                "legend": {"orient": "top", "offset": 10},
            },
        },
    }
    return _framed(spec, language)


def charts(series: Sequence[Series], language: str) -> list[Chart]:
    """Build every chart that the points allow; a title names the currency where there are several."""
    several = len({s.currency for s in series}) > 1
    made = []
    for points in series:
        if points.labels and points.kind in {"daily", "platform"}:
            title = _word(points.kind, language) + (f", {points.currency}" if several else "")
            made.append(Chart(title=title, spec=trend(points, language) if points.kind == "daily" else by_platform(points, language)))
    return made


def illustrated(document: Document) -> Document:
    """Return the document with its charts built from its points."""
    return document.model_copy(update={"charts": charts(document.series, document.language)})


def _daily_panel(metric: str, title: str, compared: bool, language: str, *, last: bool) -> dict[str, Any]:
    colour = FIRST if metric == "spend" else SECOND
    days = {"labelExpr": _day_label(language), "tickCount": 8, "grid": False, "labelFlush": False}
    axis: dict[str, Any] = days if last else {"labels": False, "ticks": False, "grid": False}
    x = {"field": "date", "type": "temporal", "timeUnit": "utcyearmonthdate", "title": None, "axis": axis, "scale": {"type": "utc"}}
    y = {"type": "quantitative", "title": None, "axis": {"tickCount": 4}}
    layers: list[dict[str, Any]] = []
    if compared:
        dashed = {"type": "line", "color": MUTED, "strokeWidth": 1.2, "strokeDash": [3, 3], "opacity": 0.9}
        layers.append({"mark": dashed, "encoding": {"x": x, "y": {**y, "field": f"previous_{metric}"}}})
    mark = {"type": "area", "color": colour, "opacity": 0.16, "line": {"color": colour, "strokeWidth": 2}}
    layers.append({"mark": mark, "encoding": {"x": x, "y": {**y, "field": metric}}})
    heading = {"text": title, "anchor": "start", "frame": "group", "offset": 8}
    return {"title": heading, "width": WIDTH - 70, "height": 130 if metric == "spend" else 90, "layer": layers}


def _framed(spec: dict[str, Any], language: str) -> dict[str, Any]:
    """Add what every chart shares: schema, colours, fonts and the reader's number format."""
    axis = {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    }
    config: dict[str, Any] = {
        "background": None,
        "padding": {"left": 24, "right": 8, "top": 4, "bottom": 4},
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "legend": {"labelColor": MUTED, "labelFontSize": 11, "symbolType": "square", "columnPadding": 28},
        "title": {"color": MUTED, "fontSize": 11, "fontWeight": "normal"},
        "locale": {"number": _NUMBERS[language]},
    }
    return {"$schema": SCHEMA, **spec, "config": config}


_NUMBERS: Mapping[str, Mapping[str, Any]] = {
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", ""]},
    "ru": {"decimal": ",", "thousands": "\u00a0", "grouping": [3], "currency": ["", ""]},
}


def _day_label(language: str) -> str:
    """Write the Vega expression of a day's label: 4 окт or 4 Oct."""
    if language == "ru":
        months = ", ".join(f"'{month}'" for month in _MONTHS_RU)
        return f"utcdate(datum.value) + ' ' + [{months}][utcmonth(datum.value)]"
    return "utcFormat(datum.value, '%-d %b')"


def _word(key: str, language: str) -> str:
    return WORDS[key][language]


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)

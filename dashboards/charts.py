"""Charts as altair specifications: data in, specification out, testable without a browser."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt

from dashboards.language import Language

ACCENT = "#2F5D8A"
_MONTHS = {
    "ru": ["январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"],
    "en": ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
}
_SHORT_MONTHS = {
    "ru": ["янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}
_DAYS = {
    "ru": ["воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"],
    "en": ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
}
_SHORT_DAYS = {"ru": ["вс", "пн", "вт", "ср", "чт", "пт", "сб"], "en": ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]}


def trend(rows: Sequence[Mapping[str, Any]], metric: str, title: str, unit: str, currency: str, language: Language) -> alt.LayerChart:
    """Draw a metric by date as a line with its points; the tooltip carries the exact value as the cards print it."""
    points = [
        {
            "date": str(row["date"]),
            "value": float(row[metric]),
            "day": language.day(date.fromisoformat(str(row["date"]))),
            "exact": language.number(row[metric], unit, currency),
        }
        for row in rows
        if row.get(metric) is not None
    ]
    base = alt.Chart(alt.InlineData(values=points)).encode(
        x=alt.X("date:T", title=None, axis=alt.Axis(format="%d %b", labelOverlap="greedy", tickCount=6, grid=False)),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(format=",.2~%" if unit == "percent" else ",.2~f", tickCount=4), scale=alt.Scale(zero=True)),
        tooltip=[alt.Tooltip("day:N", title=language.say("col.date")), alt.Tooltip("exact:N", title=title)],
    )
    area = base.mark_area(color=ACCENT, opacity=0.08, interpolate="monotone")
    line = base.mark_line(color=ACCENT, strokeWidth=2, interpolate="monotone")
    dots = base.mark_circle(color=ACCENT, size=60, opacity=0 if len(points) > 1 else 1)
    chart: alt.LayerChart = alt.layer(area, line, dots).properties(height=240).configure(locale=locale(language)).configure_view(strokeWidth=0)
    return chart


def locale(language: Language) -> dict[str, Any]:
    """Return Vega's locale: separators, currency place, and months in the nominative."""
    russian = language.code == "ru"
    return {
        "number": {
            "decimal": "," if russian else ".",
            "thousands": "\u00a0" if russian else ",",
            "grouping": [3],
            "currency": ["", "\u00a0₽"] if russian else ["$", ""],
        },
        "time": {
            "dateTime": "%A, %e %B %Y г. %X" if russian else "%A, %B %e, %Y %X",
            "date": "%d.%m.%Y" if russian else "%m/%d/%Y",
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": _DAYS[language.code],
            "shortDays": _SHORT_DAYS[language.code],
            "months": _MONTHS[language.code],
            "shortMonths": _SHORT_MONTHS[language.code],
        },
    }

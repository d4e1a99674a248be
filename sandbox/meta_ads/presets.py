"""Meta's date presets, and how far back insights reach."""

from calendar import monthrange
from datetime import date, timedelta

from sandbox.meta_ads.errors import invalid

MONTHS = 37


def earliest(today: date) -> date:
    """Return the first date that insights still have: 37 months before the account's today."""
    return months_before(today, MONTHS)


def months_before(day: date, months: int) -> date:
    """Return the same day `months` earlier, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def preset(name: str, today: date) -> tuple[date, date]:
    """Return the inclusive window of a date preset. Raises GraphError for an unknown one."""
    day = timedelta(days=1)
    if name.startswith("last_") and name.endswith("d") and name[5:-1].isdigit():
        return today - int(name[5:-1]) * day, today - day
    first = today.replace(day=1)
    monday, sunday = today - today.weekday() * day, today - (today.weekday() + 1) % 7 * day
    quarter = first.replace(month=(first.month - 1) // 3 * 3 + 1)
    before = (quarter - day).replace(day=1)
    known = {
        "today": (today, today),
        "yesterday": (today - day, today - day),
        "this_month": (first, today),
        "last_month": ((first - day).replace(day=1), first - day),
        "this_quarter": (quarter, today),
        "last_quarter": (before.replace(month=(before.month - 1) // 3 * 3 + 1), quarter - day),
        "this_year": (today.replace(month=1, day=1), today),
        "last_year": (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
        "this_week_mon_today": (monday, today),
        "this_week_sun_today": (sunday, today),
        "last_week_mon_sun": (monday - 7 * day, monday - day),
        "last_week_sun_sat": (sunday - 7 * day, sunday - day),
        "maximum": (earliest(today), today),
        "data_maximum": (earliest(today), today),
    }
    if name not in known:
        raise invalid(f"date_preset must be one of the following values: {', '.join(sorted(known))}")
    return known[name]

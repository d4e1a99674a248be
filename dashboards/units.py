"""How a metric's unit is written on a screen."""

_PERCENT = frozenset({"ctr", "cvr"})


def shown_unit(metric: str, unit: str) -> str:
    """Return `percent` for rates, which people read in percent, else the catalogue's unit."""
    return "percent" if metric in _PERCENT else unit

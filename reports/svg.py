"""Charts as inline SVG: drawn once by vl-convert, coloured by the page's own variables, so that dark and print work."""

import itertools
import json
import re
from typing import Any

import vl_convert
from markupsafe import Markup, escape

from reports.charts import FIRST, GRID, INK, MUTED, SECOND

VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--line)", FIRST: "var(--first)", SECOND: "var(--second)"}
_SVG = re.compile(r'<svg\b[^>]*\bviewBox="([^"]+)"[^>]*>')
_numbers = itertools.count(1)


def draw(spec: dict[str, Any], title: str) -> Markup:
    """Return a chart as an SVG element that scales with the page and bears its title for screen readers.

    vl-convert escapes the texts of the data. Raises ValueError for a specification that it cannot draw.
    """
    drawn = vl_convert.vegalite_to_svg(json.dumps(spec))
    opening = _SVG.search(drawn)
    if opening is None:
        raise ValueError("vl-convert returned no SVG")
    _, _, width, _ = opening.group(1).split()
    body = drawn[opening.end() :]
    prefix = f"chart{next(_numbers)}-"
    body = re.sub(r'\bid="', f'id="{prefix}', body)
    body = re.sub(r"url\(#", f"url(#{prefix}", body)
    body = re.sub(r'href="#', f'href="#{prefix}', body)
    for colour, variable in VARIABLES.items():
        body = re.sub(rf'\b(fill|stroke)="{colour}"', rf'\1="{variable}"', body)
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{opening.group(1)}" role="img" aria-label="{escape(title)}" style="max-width:{float(width):.0f}px">'
    )
    return Markup(start + body)  # noqa: S704 vl-convert has escaped the texts

"""Goals and attribution models: which are asked for, and the columns `<Field>_<goal>_<model>` made into rows."""

import re
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

GOALS_IN_REPORT = 10
"""The most goals of one report."""

ACTIVE = ("LC", "FCCD", "LSCCD", "AUTO")
CONVERTED: Mapping[str, str] = {**{model: model for model in ACTIVE}, "LSC": "LSCCD", "FC": "FCCD", "LYDC": "AUTO", "LYDCCD": "AUTO"}
"""Every attribution model with the active one that Direct answers it as."""

FIELDS = ("Conversions", "Revenue")
_COLUMN = re.compile(r"(Conversions|Revenue)_(\d+)_([A-Z]+)")

Parts = dict[tuple[str, str], dict[str, str]]
"""By goal and active model: the column of each field."""


def columns_of(names: Sequence[str]) -> Parts:
    """Find the columns of goals by their pattern, wherever they stand; a retired model counts as the one that it became."""
    found: Parts = {}
    for name in names:
        match = _COLUMN.fullmatch(name)
        if match:
            field, goal, model = match.groups()
            found.setdefault((goal, CONVERTED.get(model, model)), {}).setdefault(field, name)
    return found


def long_rows(wide: pa.Table, parts: Parts, kept: Sequence[str]) -> pa.Table:
    """Turn one row with many goals into a row for each goal and model that has conversions or revenue; `kept` columns are repeated."""
    tables = []
    for (goal, model), fields in parts.items():
        values = {field: wide.column(fields[field]) if field in fields else pa.nulls(wide.num_rows, pa.decimal128(18, 6)) for field in FIELDS}
        present = pc.or_(pc.is_valid(values["Conversions"]), pc.is_valid(values["Revenue"]))
        columns = {name: wide.column(name) for name in kept} | values
        some = pa.table(columns).filter(present)
        some = some.append_column("GoalId", pa.repeat(goal, some.num_rows)).append_column("AttributionModel", pa.repeat(model, some.num_rows))
        tables.append(some)
    return pa.concat_tables(tables)


def in_reports(goals: Sequence[str]) -> Iterator[list[str]]:
    """Yield the goals ten by ten, each once, in order."""
    listed = sorted(set(goals), key=lambda goal: (len(goal), goal))
    for start in range(0, len(listed), GOALS_IN_REPORT):
        yield listed[start : start + GOALS_IN_REPORT]

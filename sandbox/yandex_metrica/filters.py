"""The filters parameter: conditions on groupings choose rows, conditions on metrics choose groups.

AND, OR, NOT, parentheses; == != =. !. =@ !@ =* !* =~ !~ > >= < <= with quoted values or numbers. Groupings and metrics may be joined by AND alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from sandbox.facts import MICRO
from sandbox.yandex_metrica.dimensions import Dimension
from sandbox.yandex_metrica.errors import MetricaError, wrong
from sandbox.yandex_metrica.metrics import Metric

LONGEST, ATTRIBUTES, CONDITIONS, VALUES = 10_000, 10, 20, 100
_TOKEN = re.compile(
    r"""\s*(?:(\()|(\))|(,)|(AND\b|OR\b|NOT\b)|(ym:[\w:<>]+?)(?=\s*(?:==|!=|=\.|!\.|=@|!@|=\*|!\*|=~|!~|>=|<=|>|<|\s))|"""
    r"""(==|!=|=\.|!\.|=@|!@|=\*|!\*|=~|!~|>=|<=|>|<)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?))""",
    re.IGNORECASE,
)

Read = Callable[[str], Dimension | Metric]


@dataclass
class Filters:
    """`rows` chooses single rows, `groups` chooses groups by their metrics (aggregating expressions)."""

    rows: pl.Expr | None = None
    groups: pl.Expr | None = None


@dataclass
class _Parser:
    text: str
    read: Read
    tokens: list[tuple[int, str]] = field(default_factory=list)
    at: int = 0
    attributes: set[str] = field(default_factory=set)
    conditions: int = 0

    def __post_init__(self) -> None:
        place = 0
        while place < len(self.text.rstrip()):
            found = _TOKEN.match(self.text, place)
            if not found or found.end() == place:
                raise wrong("filters", self.text[place : place + 40])
            kind = found.lastindex or 0
            self.tokens.append((kind, found[kind]))
            place = found.end()

    def peek(self) -> tuple[int, str]:
        """Return the token at hand, (0, '') at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else (0, "")

    def word(self, *words: str) -> bool:
        """Take the token when it is one of these."""
        if self.peek()[1].upper() in words and self.peek()[0] in (1, 2, 3, 4):
            self.at += 1
            return True
        return False

    def all(self) -> Filters:
        """Read conditions joined by AND at the top."""
        found = Filters()
        while True:
            expression, on_metric = self.either()
            if on_metric:
                found.groups = expression if found.groups is None else found.groups & expression
            else:
                found.rows = expression if found.rows is None else found.rows & expression
            if not self.word("AND"):
                break
        if self.at < len(self.tokens):
            raise wrong("filters", self.peek()[1])
        if len(self.attributes) > ATTRIBUTES or self.conditions > CONDITIONS:
            raise MetricaError(400, "filter_limits", "Filter complexity exceeds set restrictions", "filters")
        return found

    def either(self) -> tuple[pl.Expr, bool]:
        """Read conditions joined by OR."""
        left, on_metric = self.both()
        while self.word("OR", ","):
            right, other = self.both()
            if on_metric != other:
                raise wrong("filters", self.text[:80], "groupings and metrics are joined by AND alone")
            left = left | right
        return left, on_metric

    def both(self) -> tuple[pl.Expr, bool]:
        """Read conditions joined by AND of one kind; at the top `all` splits them."""
        left, on_metric = self.one()
        while self.peek()[1].upper() == "AND" and self.peek()[0] == 4:
            mark = self.at
            self.at += 1
            right, other = self.one()
            if on_metric != other:
                self.at = mark
                break
            left = left & right
        return left, on_metric

    def one(self) -> tuple[pl.Expr, bool]:
        """Read one condition, perhaps negated or in parentheses."""
        if self.word("NOT"):
            expression, on_metric = self.one()
            return ~expression, on_metric
        if self.word("("):
            inside = self.either()
            while self.word("AND"):
                right, other = self.either()
                if other != inside[1]:
                    raise wrong("filters", self.text[:80], "groupings and metrics are joined by AND at the top alone")
                inside = (inside[0] & right, other)
            if not self.word(")"):
                raise wrong("filters", self.text[:80], "a parenthesis is not closed")
            return inside
        return self.condition()

    def condition(self) -> tuple[pl.Expr, bool]:
        """Read attribute, operator, value."""
        kind, name = self._take()
        sign_kind, sign = self._take()
        if kind != 5 or sign_kind != 6:
            raise wrong("filters", name or self.text[:80])
        values = self.values()
        self.attributes.add(name)
        self.conditions += 1
        what = self.read(name)
        if isinstance(what, Metric):
            return _compared(what.value, sign, int(Decimal(values[0]) * MICRO)), True
        return _matches(what.key, sign, values), False

    def values(self) -> list[str]:
        """Read one value, or several in parentheses."""
        if not self.word("("):
            return [self._value()]
        found = [self._value()]
        while self.word(","):
            found.append(self._value())
        if not self.word(")") or len(found) > VALUES:
            raise wrong("filters", self.text[:80])
        return found

    def _value(self) -> str:
        kind, text = self._take()
        if kind not in (7, 8, 9):
            raise wrong("filters", text or self.text[:80])
        return re.sub(r"\\(.)", r"\1", text)

    def _take(self) -> tuple[int, str]:
        found = self.peek()
        self.at += 1
        return found


def read_filters(text: str, read: Read) -> Filters:
    """Parse a filter; `read` finds the grouping or metric of a name. Raises MetricaError for what Metrica refuses."""
    if not text.strip():
        return Filters()
    if len(text) > LONGEST:
        raise MetricaError(400, "filter_limits", "Filter complexity exceeds set restrictions", "filters")
    return _Parser(text, read).all()


def _compared(value: pl.Expr, sign: str, bound: int) -> pl.Expr:
    made = {"==": value == bound, "!=": value != bound, ">": value > bound, ">=": value >= bound, "<": value < bound, "<=": value <= bound}.get(sign)
    if made is None:
        raise wrong("filters", sign, "not for metrics")
    return made


def _matches(key: pl.Expr, sign: str, values: list[str]) -> pl.Expr:
    text = key.cast(pl.String).fill_null("")
    value = values[0]
    plain = {"==": "=.", "!=": "!."}.get(sign, sign)
    if plain[0] in "<>":
        return {">": text > value, ">=": text >= value, "<": text < value, "<=": text <= value}[plain]
    found = {
        ".": text.is_in(values),
        "@": text.str.contains(value, literal=True),
        "*": text.str.contains("^" + ".*".join(re.escape(part) for part in value.split("*")) + "$"),
        "~": text.str.contains(value),
    }[plain[1]]
    return ~found if plain[0] == "!" else found

"""The Google Ads Query Language: tokens, grammar, and the errors that the API gives for what breaks it.

Grammar: developers.google.com/google-ads/api/docs/query/grammar.
"""

import re
from dataclasses import dataclass

from sandbox.google_ads.errors import query_error

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<operator>!=|>=|<=|=|>|<|\(|\)|,)
    )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
CLAUSES = ("SELECT", "FROM", "WHERE", "ORDER", "LIMIT", "PARAMETERS")
DURING = (
    "TODAY",
    "YESTERDAY",
    "LAST_7_DAYS",
    "LAST_14_DAYS",
    "LAST_30_DAYS",
    "LAST_BUSINESS_WEEK",
    "LAST_MONTH",
    "LAST_WEEK_MON_SUN",
    "LAST_WEEK_SUN_SAT",
    "THIS_MONTH",
    "THIS_WEEK_MON_TODAY",
    "THIS_WEEK_SUN_TODAY",
)
PARAMETERS = ("include_drafts", "omit_unselected_resource_names")


@dataclass(frozen=True)
class Condition:
    """One condition of WHERE; `values` are literals as text."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A parsed query. `order` holds (field, descending)."""

    select: tuple[str, ...]
    resource: str
    where: tuple[Condition, ...]
    order: tuple[tuple[str, bool], ...]
    limit: int | None
    parameters: dict[str, str]


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def parse(source: str) -> Query:
    """Parse a query. Raises GoogleAdsError with the API's own code."""
    return _Parser(_tokens(source)).query()


def parse_fields_query(source: str) -> tuple[tuple[str, ...], tuple[Condition, ...], tuple[tuple[str, bool], ...], int | None]:
    """Parse a query of GoogleAdsFieldService, which has no FROM: selected attributes, conditions, order, limit."""
    return _Parser(_tokens(source)).fields_query()


def _tokens(source: str) -> list[_Token]:
    tokens, at = [], 0
    source = source.strip()
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            rest = source[at:].lstrip()
            if rest[:1] in "'\"":
                raise query_error("STRING_NOT_TERMINATED", f"Error in query: string is not terminated: {rest[:40]}")
            raise query_error("BAD_SYMBOL", f"Error in query: unexpected symbol {rest[:1]}.")
        kind = str(match.lastgroup)
        text = match.group(kind)
        tokens.append(_Token(kind, _ESCAPE.sub(r"\1", text[1:-1]) if kind == "string" else text))
        at = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        if not self._keyword("SELECT"):
            raise query_error("EXPECTED_SELECT", "Error in query: expected SELECT clause at the beginning.")
        select = self._fields()
        if not self._keyword("FROM"):
            raise self._unexpected("EXPECTED_FROM", "expected FROM clause")
        resource = self._word().text
        where: tuple[Condition, ...] = ()
        order: tuple[tuple[str, bool], ...] = ()
        limit: int | None = None
        parameters: dict[str, str] = {}
        if self._keyword("WHERE"):
            where = self._conditions()
        if self._keyword("ORDER"):
            if not self._keyword("BY"):
                raise self._unexpected("EXPECTED_BY", "expected BY after ORDER")
            order = self._ordering()
        if self._keyword("LIMIT"):
            limit = self._limit()
        if self._keyword("PARAMETERS"):
            parameters = self._parameters()
        if self._at < len(self._tokens):
            raise self._unexpected("UNEXPECTED_INPUT", "unexpected input")
        return Query(select, resource, where, order, limit, parameters)

    def fields_query(self) -> tuple[tuple[str, ...], tuple[Condition, ...], tuple[tuple[str, bool], ...], int | None]:
        if not self._keyword("SELECT"):
            raise query_error("EXPECTED_SELECT", "Error in query: expected SELECT clause at the beginning.")
        select = self._fields()
        if self._keyword("FROM"):
            raise query_error("UNEXPECTED_FROM_CLAUSE", "Error in query: unexpected FROM clause.")
        where = self._conditions() if self._keyword("WHERE") else ()
        order: tuple[tuple[str, bool], ...] = ()
        if self._keyword("ORDER"):
            if not self._keyword("BY"):
                raise self._unexpected("EXPECTED_BY", "expected BY after ORDER")
            order = self._ordering()
        limit = self._limit() if self._keyword("LIMIT") else None
        if self._at < len(self._tokens):
            raise self._unexpected("UNEXPECTED_INPUT", "unexpected input")
        return select, where, order, limit

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _unexpected(self, code: str, words: str) -> Exception:
        token = self._peek()
        if token is None:
            return query_error("UNEXPECTED_END_OF_QUERY" if code == "UNEXPECTED_INPUT" else code, f"Error in query: {words}, but the query ends.")
        return query_error(code, f"Error in query: {words}, at '{token.text[:40]}'.")

    def _keyword(self, word: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "word" and token.text.upper() == word:
            self._at += 1
            return True
        return False

    def _symbol(self, symbol: str) -> bool:
        token = self._peek()
        if token is not None and token.kind == "operator" and token.text == symbol:
            self._at += 1
            return True
        return False

    def _word(self) -> _Token:
        token = self._peek()
        if token is None or token.kind != "word" or token.text.upper() in CLAUSES:
            raise self._unexpected("UNEXPECTED_INPUT", "expected a name")
        self._at += 1
        return token

    def _fields(self) -> tuple[str, ...]:
        names = [self._word().text]
        while self._symbol(","):
            names.append(self._word().text)
        return tuple(dict.fromkeys(names))

    def _conditions(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self._keyword("AND"):
            conditions.append(self._condition())
        token = self._peek()
        if token is not None and (token.kind != "word" or token.text.upper() not in CLAUSES):
            raise self._unexpected("EXPECTED_AND", "expected AND")
        return tuple(conditions)

    def _condition(self) -> Condition:
        name = self._word().text
        operator = self._operator()
        if operator in ("IS NULL", "IS NOT NULL"):
            return Condition(name, operator, ())
        if operator in ("IN", "NOT IN", "CONTAINS ANY", "CONTAINS ALL", "CONTAINS NONE"):
            return Condition(name, operator, self._list())
        if operator == "BETWEEN":
            low = self._value()
            if not self._keyword("AND"):
                raise self._unexpected("EXPECTED_VALUE_WITH_BETWEEN_OPERATOR", "expected AND and a second value with BETWEEN")
            return Condition(name, operator, (low, self._value()))
        value = self._value()
        if operator == "DURING" and value.upper() not in DURING:
            raise query_error("INVALID_VALUE_WITH_DURING_OPERATOR", f"Error in WHERE clause: {value} is not a valid date range literal.")
        return Condition(name, operator, (value,))

    def _operator(self) -> str:
        token = self._peek()
        if token is not None and token.kind == "operator" and token.text not in "(),":
            self._at += 1
            return token.text
        negated = self._keyword("NOT")
        for word in ("IN", "LIKE", "REGEXP_MATCH"):
            if self._keyword(word):
                return f"NOT {word}" if negated else word
        if not negated:
            if self._keyword("IS"):
                inverse = self._keyword("NOT")
                if self._keyword("NULL"):
                    return "IS NOT NULL" if inverse else "IS NULL"
            if self._keyword("CONTAINS"):
                for word in ("ANY", "ALL", "NONE"):
                    if self._keyword(word):
                        return f"CONTAINS {word}"
            for word in ("BETWEEN", "DURING"):
                if self._keyword(word):
                    return word
        raise self._unexpected("BAD_OPERATOR", "expected an operator")

    def _value(self) -> str:
        token = self._peek()
        if token is None or token.kind == "operator":
            if token is not None and token.text == "(":
                raise self._unexpected("EXPECTED_SINGLE_VALUE", "expected a single value")
            raise self._unexpected("BAD_VALUE", "expected a value")
        self._at += 1
        return token.text

    def _list(self) -> tuple[str, ...]:
        if not self._symbol("("):
            raise self._unexpected("EXPECTED_LIST", "expected a list of values")
        if self._symbol(")"):
            raise query_error("PROHIBITED_EMPTY_LIST_IN_CONDITION", "Error in WHERE clause: empty list in condition.")
        values = [self._value()]
        while self._symbol(","):
            values.append(self._value())
        if not self._symbol(")"):
            raise self._unexpected("EXPECTED_LIST", "expected ) at the end of the list")
        return tuple(values)

    def _ordering(self) -> tuple[tuple[str, bool], ...]:
        ordering = []
        while True:
            name = self._word().text
            descending = self._keyword("DESC")
            if not descending:
                self._keyword("ASC")
            ordering.append((name, descending))
            if not self._symbol(","):
                return tuple(ordering)

    def _limit(self) -> int:
        token = self._peek()
        if token is None or token.kind != "number" or "." in token.text:
            raise self._unexpected("BAD_LIMIT_VALUE", "expected a whole number with LIMIT")
        self._at += 1
        if int(token.text) < 1:
            raise query_error("LIMIT_VALUE_TOO_LOW", "Error in query: LIMIT must be greater than 0.")
        return int(token.text)

    def _parameters(self) -> dict[str, str]:
        parameters = {}
        while True:
            name = self._word().text
            if name not in PARAMETERS:
                raise query_error("BAD_PARAMETER_NAME", f"Error in PARAMETERS clause: unknown parameter {name}.")
            if not self._symbol("="):
                raise self._unexpected("BAD_OPERATOR", "expected = in PARAMETERS")
            value = self._value().lower()
            if value not in ("true", "false"):
                raise query_error("BAD_PARAMETER_VALUE", f"Error in PARAMETERS clause: {value} is no value of {name}.")
            parameters[name] = value
            if not self._symbol(","):
                return parameters

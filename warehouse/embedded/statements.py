"""Just enough of ClickHouse's lexer to find what kind of statement a text is, where its FORMAT stands and where inline data begin.

The engine parses; this only finds the places at which the HTTP interface has to add or cut something.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_TOKEN = re.compile(
    rb"""(?P<space>(?:[\s\x00]|\xc2[\x85\xa0]|\xe1\xa0\x8e|\xe2\x80[\x80-\x8d\xa8\xa9\xaf]|\xe2\x81[\x9f\xa0]|\xe3\x80\x80|\xef\xbb\xbf)++
        |(?:--|//|\#[ !])[^\n]*+)
    |(?P<comment>/\*)
    |(?P<string>'(?:[^'\\]++|\\.|'')*+')
    |(?P<quoted>`(?:[^`\\]++|\\.|``)*+`|"(?:[^"\\]++|\\.|"")*+")
    |(?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<word>[A-Za-z_][A-Za-z0-9_$]*+)
    |(?P<number>[0-9][A-Za-z0-9_.]*+)
    |(?P<open>[(\[{])
    |(?P<close>[)\]}])
    |(?P<end>;)
    |(?P<broken>['`"])
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT = re.compile(rb"/\*|\*/")
_ROWS = {b"SELECT", b"WITH", b"FROM", b"SHOW", b"DESC", b"DESCRIBE", b"EXPLAIN", b"EXISTS", b"CHECK"}
_SPACES = b" \t\f"


class Kind(Enum):
    """What the HTTP interface does with a statement."""

    ROWS = "rows"
    """Answers rows: the engine writes them into a pipe, in one document."""
    INSERT = "insert"
    """An INSERT whose data follow the statement."""
    OTHER = "other"
    """Everything else: runs as it is; its answer, if any, is small."""


@dataclass(frozen=True)
class Token:
    """A significant token: its kind (the lexer's group), text and place, and how deep in brackets it stands."""

    kind: str
    text: bytes
    start: int
    stop: int
    depth: int

    @property
    def word(self) -> bytes:
        """Return a keyword's upper case, empty for anything that is not a bare word."""
        return self.text.upper() if self.kind == "word" else b""


@dataclass(frozen=True)
class Statement:
    """A statement without inline data. `format` and `format_at` are the output (or input) format's name and place, if named."""

    kind: Kind
    text: bytes
    keyword: bytes
    tokens: tuple[Token, ...]
    format: str = ""
    format_at: int = -1
    data_at: int = -1
    """Where inline data begin in the text that was read; -1 for a statement without."""
    input_at: tuple[int, int] | None = None
    """The span of `input(…)` in an INSERT … SELECT … FROM input(…)."""
    trailing: bool = False
    """Something follows a semicolon."""

    @property
    def forbidden(self) -> str:
        """Name the clause that a server does not carry out: OUTFILE, INFILE, or nothing."""
        for before, token in zip(self.tokens, self.tokens[1:], strict=False):
            if (before.word, token.word) in ((b"INTO", b"OUTFILE"), (b"FROM", b"INFILE")) and before.depth == 0:
                return token.word.decode()
        return ""

    @property
    def has_settings(self) -> bool:
        """Tell whether a SETTINGS clause stands anywhere in it."""
        triples = zip(self.tokens, self.tokens[1:], self.tokens[2:], strict=False)
        return any(first.word == b"SETTINGS" and name.kind == "word" and equals.text == b"=" for first, name, equals in triples)

    @property
    def secondary(self) -> bytes:
        """Return the second word, such as TABLE of DROP TABLE."""
        return self.tokens[1].word if len(self.tokens) > 1 else b""


def tokens(text: bytes) -> Iterator[Token]:
    """Yield the significant tokens of a text."""
    depth = 0
    place = 0
    while match := _TOKEN.match(text, place):
        place = match.end()
        kind = match.lastgroup or "other"
        if kind == "comment":
            place = _after_comment(text, match.start())
            if place < 0:
                yield Token("broken", match[0], match.start(), match.end(), depth)
                return
            continue
        if kind == "space":
            continue
        if kind == "tag":
            kind = "heredoc"
        if kind == "close":
            depth = max(0, depth - 1)
        yield Token(kind, match[0], match.start(), match.end(), depth)
        if kind == "open":
            depth += 1


def _after_comment(text: bytes, start: int) -> int:
    """Find the end of a comment, which may hold others; -1 where it has none."""
    depth, place = 0, start
    while match := _COMMENT.search(text, place):
        depth += 1 if match[0] == b"/*" else -1
        place = match.end()
        if depth == 0:
            return place
    return -1


def read(text: bytes, complete: bool = True) -> Statement | None:
    """Find the statement at the head of a text; None when more of the text is needed to tell.

    An INSERT is told as soon as its data begin, so that a text of any length need not be held.
    """
    found: list[Token] = []
    insert_at = -1
    for token in tokens(text):
        if token.kind == "broken" and not complete:
            return None
        if not found and token.kind == "open":
            found.append(token)
            continue
        if token.kind == "end" and token.depth == 0:
            return _finish(text[: token.start], found, _significant(text[token.stop :]))
        found.append(token)
        if token.word == b"INTO" and token.depth == 0 and len(found) > 1 and found[-2].word == b"INSERT" and found[0].word in (b"INSERT", b"WITH"):
            insert_at = len(found) - 2
        if insert_at >= 0 and len(found) > insert_at + 2 and token.depth == 0:
            insert = _insert_data(text, found[insert_at:], complete)
            if insert is not None:
                return insert
    return _finish(text, found, False) if complete else None


def _significant(text: bytes) -> bool:
    return any(token.kind != "end" for token in tokens(text))


def _finish(text: bytes, found: list[Token], trailing: bool) -> Statement:
    words = [token.word for token in found if token.kind != "open"]
    keyword = words[0] if words else b""
    kind = Kind.ROWS if keyword in _ROWS else Kind.OTHER
    name, place = _format_clause(found)
    return Statement(kind, text, keyword, tuple(found), name, place, trailing=trailing)


def _format_clause(found: list[Token]) -> tuple[str, int]:
    """Find a trailing `FORMAT name`, which only SETTINGS or INTO OUTFILE may follow."""
    top = [token for token in found if token.depth == 0]
    for index in range(len(top) - 2, -1, -1):
        token, name = top[index], top[index + 1]
        if token.word == b"FORMAT" and name.kind in ("word", "quoted"):
            after = top[index + 2].word if index + 2 < len(top) else b""
            if index + 2 == len(top) or after in (b"SETTINGS", b"INTO"):
                return name.text.decode(errors="replace").strip('`"'), token.start
    return "", -1


def _insert_data(text: bytes, found: list[Token], complete: bool) -> Statement | None:
    """Recognize the token at which an INSERT's statement ends and its data begin."""
    last, before = found[-1], found[-2]
    selects = any(token.word in (b"SELECT", b"WITH") for token in found[2:-1] if token.depth == 0)
    named = _in_name(found)
    if last.word == b"VALUES" and not selects and not named:
        return Statement(Kind.INSERT, text[: last.start], b"INSERT", tuple(found), "Values", last.start, last.stop)
    if before.word == b"FORMAT" and last.kind == "word" and not _in_name(found[:-1]):
        span = _input_call(found)
        if selects and span is None:
            return None
        place = _data_start(text, last.stop)
        if place == len(text) and not complete:
            return None
        return Statement(Kind.INSERT, text[: before.start], b"INSERT", tuple(found), last.text.decode(), before.start, place, span)
    return None


def _in_name(found: list[Token]) -> bool:
    """Tell whether the last token is part of the table's name: right after INTO, TABLE, FUNCTION or a dot."""
    before = found[-2]
    return before.word in (b"INTO", b"FUNCTION") or before.text == b"." or (before.word == b"TABLE" and len(found) <= 4)


def _input_call(found: list[Token]) -> tuple[int, int] | None:
    for index, token in enumerate(found[:-1]):
        if token.word == b"INPUT" and found[index + 1].text == b"(":
            depth = found[index + 1].depth
            for close in found[index + 2 :]:
                if close.kind == "close" and close.depth == depth:
                    return token.start, close.stop
    return None


def _data_start(text: bytes, place: int) -> int:
    """Skip what ClickHouse skips between the format's name and the data: blanks, then one line end."""
    while place < len(text) and text[place] in _SPACES:
        place += 1
    if text[place : place + 1] == b"\r":
        place += 1
    if text[place : place + 1] == b"\n":
        place += 1
    return place


def with_outfile(statement: Statement, path: str, default_format: str) -> tuple[bytes, str]:
    """Let a statement of rows write its answer into `path`; return the text to run and the format that it answers in."""
    clause = f" INTO OUTFILE '{path}' APPEND".encode()
    if statement.format:
        place = statement.format_at
        return statement.text[:place] + clause.lstrip() + b" " + statement.text[place:], statement.format
    end = statement.tokens[-1].stop
    return statement.text[:end] + clause + b" FORMAT " + default_format.encode() + statement.text[end:], default_format

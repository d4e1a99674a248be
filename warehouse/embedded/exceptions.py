"""ClickHouse's exceptions: parsed from the engine's words, raised by us in the same words, mapped to HTTP statuses."""

import re

PATTERN = re.compile(r"^Code: (\d+)\. DB::Exception: (.*?)(?: \(([A-Z][A-Z0-9_]+)\))?(?: \(version [^)]*\))?\s*$", re.DOTALL)
NESTED = re.compile(r"^Code: \d+\. DB::Exception: ")

_BAD_REQUEST = {
    *("BAD_ARGUMENTS", "CANNOT_COMPILE_REGEXP", "CANNOT_PARSE_TEXT", "CANNOT_PARSE_ESCAPE_SEQUENCE", "CANNOT_PARSE_QUOTED_STRING"),
    *("CANNOT_PARSE_DATE", "CANNOT_PARSE_DATETIME", "CANNOT_PARSE_NUMBER", "CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING"),
    *("CANNOT_PARSE_IPV4", "CANNOT_PARSE_IPV6", "CANNOT_PARSE_INPUT_ASSERTION_FAILED", "CANNOT_PARSE_UUID", "DUPLICATE_COLUMN"),
    *("ILLEGAL_COLUMN", "UNKNOWN_ELEMENT_IN_AST", "UNKNOWN_TYPE_OF_AST_NODE", "THERE_IS_NO_COLUMN", "TOO_DEEP_AST", "TOO_BIG_AST"),
    *("UNEXPECTED_AST_STRUCTURE", "SYNTAX_ERROR", "INCORRECT_DATA", "TYPE_MISMATCH", "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE"),
}
_NOT_FOUND = {
    *("UNKNOWN_TABLE", "UNKNOWN_FUNCTION", "UNKNOWN_IDENTIFIER", "UNKNOWN_TYPE", "UNKNOWN_STORAGE", "UNKNOWN_DATABASE", "UNKNOWN_SETTING"),
    *("UNKNOWN_DIRECTION_OF_SORTING", "UNKNOWN_AGGREGATE_FUNCTION", "UNKNOWN_FORMAT", "UNKNOWN_DATABASE_ENGINE", "UNKNOWN_TYPE_OF_QUERY"),
    "UNKNOWN_ROLE",
}
_STATUSES = {
    **dict.fromkeys(_BAD_REQUEST, 400),
    **dict.fromkeys(_NOT_FOUND, 404),
    **dict.fromkeys(("UNKNOWN_USER", "WRONG_PASSWORD", "AUTHENTICATION_FAILED", "SET_NON_GRANTED_ROLE", "ACCESS_DENIED"), 403),
    "REQUIRED_PASSWORD": 401,
    "TIMEOUT_EXCEEDED": 408,
    "HTTP_LENGTH_REQUIRED": 411,
    "QUERY_IS_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "NOT_IMPLEMENTED": 501,
    **dict.fromkeys(("SOCKET_TIMEOUT", "CANNOT_OPEN_FILE", "CANNOT_SCHEDULE_TASK"), 503),
}
"""By ClickHouse's exceptionCodeToHTTPStatus; whatever is not named here is 500."""

_CODES = {
    "SYNTAX_ERROR": 62,
    "NOT_IMPLEMENTED": 48,
    "UNKNOWN_TYPE_OF_QUERY": 78,
    "UNKNOWN_SETTING": 115,
    "TIMEOUT_EXCEEDED": 159,
    "READONLY": 164,
    "INTO_OUTFILE_NOT_ALLOWED": 189,
    "REQUIRED_PASSWORD": 194,
    "SOCKET_TIMEOUT": 209,
    "CANNOT_READ_ALL_DATA": 33,
    "QUERY_IS_TOO_LARGE": 223,
    "SESSION_NOT_FOUND": 372,
    "SESSION_IS_LOCKED": 373,
    "INVALID_SESSION_TIMEOUT": 374,
    "HTTP_LENGTH_REQUIRED": 381,
    "QUERY_WAS_CANCELLED": 394,
    "AUTHENTICATION_FAILED": 516,
    "BAD_ARGUMENTS": 36,
    "UNKNOWN_COMPRESSION_METHOD": 89,
    "CANNOT_DECOMPRESS": 271,
    "UNKNOWN_EXCEPTION": 1002,
    "ABORTED": 236,
    "NOT_ENOUGH_SPACE": 243,
    "CHECKSUM_DOESNT_MATCH": 40,
    "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING": 216,
}


class QueryFailed(Exception):
    """A query that ClickHouse refused or broke off: its `code`, its `name` such as UNKNOWN_TABLE, and the message between them."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
        self.message = message

    @classmethod
    def named(cls, name: str, message: str) -> "QueryFailed":
        """Make one that the HTTP interface itself raises."""
        return cls(_CODES[name], name, message)

    @classmethod
    def parse(cls, text: str) -> "QueryFailed":
        """Read the engine's text `Code: 60. DB::Exception: … (UNKNOWN_TABLE)`; anything else is UNKNOWN_EXCEPTION."""
        for prefix in ("Failed to create connection: ", "Streaming insert append failed: ", "Streaming insert finish failed: "):
            text = text.removeprefix(prefix)
        match = PATTERN.match(text)
        if not match:
            return cls.named("UNKNOWN_EXCEPTION", text.strip())
        return cls(int(match[1]), match[3] or "", NESTED.sub("", match[2]))

    @property
    def status(self) -> int:
        """Return the HTTP status that ClickHouse gives to this exception."""
        return _STATUSES.get(self.name, 500)

    def text(self, version: str) -> str:
        """Say it in the words of a ClickHouse server of that version."""
        name = f" ({self.name})" if self.name else ""
        return f"Code: {self.code}. DB::Exception: {self.message}{name} (version {version} (official build))"

"""Secrets stay out of errors and logs."""

import logging
import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, SecretStr

HIDDEN = "***"
SHORTEST = 8
"""Shorter words (a password of a local test server, say) are not looked for: they would blank innocent text."""
_NAMES = "access_token|refresh_token|client_secret|appsecret_proof|input_token|fb_exchange_token|developer[-_]token"
_PARAMETERS = re.compile(rf"(?i)((?:{_NAMES})[\"']?\s*[=:]\s*[\"']?)[^&\s\"',}}]+")
_BEARER = re.compile(r"(?i)\b(bearer|oauth)\s+[A-Za-z0-9._~+/=-]{6,}")
_ECHOED = re.compile(r"(?i)\b((?:access|oauth|refresh|developer)[ _-]?token[\s:'\"]+)(?=\S*\d)[A-Za-z0-9._~+/=|-]{16,}")
"""A token that a platform repeats in its refusal: `Malformed access token EAAB…`."""


def _travels(secret: SecretStr) -> SecretStr:
    """Refuse what no HTTP header can carry: blanks within, control characters, other alphabets."""
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError("must be printable ASCII without blanks; copy it again")
    return secret


Token = Annotated[SecretStr, AfterValidator(_travels)]
"""A secret that travels in a header."""


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without the given secrets, token parameters of URLs and bearer tokens."""
    for secret in sorted((s for s in secrets if len(s) >= SHORTEST), key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])", HIDDEN, text)
    return _BEARER.sub(rf"\1 {HIDDEN}", _ECHOED.sub(rf"\1{HIDDEN}", _PARAMETERS.sub(rf"\1{HIDDEN}", text)))


class RedactingFilter(logging.Filter):
    """Rewrite a record's message so that no token parameter of a URL is printed, whatever the level."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record, redacted."""
        record.msg = redact(record.getMessage())
        record.args = ()
        return True


def keep_tokens_out_of(logger_name: str) -> None:
    """Put the redacting filter on a library's logger, once."""
    logger = logging.getLogger(logger_name)
    if not any(isinstance(f, RedactingFilter) for f in logger.filters):
        logger.addFilter(RedactingFilter())

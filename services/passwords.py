"""Passwords: argon2id hashes, a few at a time, and equal work for e-mail addresses that nobody has."""

import threading
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from domain.errors import UsageError

SHORTEST, LONGEST = 8, 128
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes a core for about 0.2 s and 64 MiB."""


def hash_password(password: str) -> str:
    """Hash a new password; raises UsageError unless it has 8 to 128 characters."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"A password has {SHORTEST} to {LONGEST} characters", fix="Choose another one")
    with _AT_ONCE:
        return _hasher().hash(password)


def verify_password(password: str, known: str | None) -> tuple[bool, str | None]:
    """Tell whether a password is right, with a renewed hash where the old one's cost is outdated.

    Without a known hash the same work is done for nothing, so that time does not tell which addresses exist.
    """
    with _AT_ONCE:
        if len(password) > LONGEST:
            password, known = "", None
        right, renewed = _hasher().verify_and_update(password, known or _dummy())
    return right and known is not None, renewed


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _dummy() -> str:
    return _hasher().hash("nobody's password")

"""Refresh tokens: only their sha256 is kept; each is good once, and its second use ends the whole family."""

import uuid
from datetime import timedelta

from sqlalchemy import func, insert, select, update

from store.database import Transaction
from store.tables import refresh_tokens


class Sessions:
    """The refresh tokens of all people; takes a system transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, user_id: str, sha256: bytes, lifetime: timedelta, family: str | None = None) -> None:
        """Keep a token's hash, in a family of its own unless one is given."""
        values = {"user_id": user_id, "family": family or str(uuid.uuid4()), "sha256": sha256, "expires_at": func.now() + lifetime}
        self._transaction.execute(insert(refresh_tokens).values(values))

    def use(self, sha256: bytes) -> tuple[str, str] | None:
        """Use a token up, in one atomic statement; return its user and family, or None where it is not good (any more)."""
        token = refresh_tokens.c
        statement = (
            update(refresh_tokens)
            .where(token.sha256 == sha256, token.used_at.is_(None), token.revoked_at.is_(None), token.expires_at > func.now())
            .values(used_at=func.now())
            .returning(token.user_id, token.family)
        )
        row = self._transaction.execute(statement).one_or_none()
        return (row.user_id, row.family) if row else None

    def revoke_family(self, sha256: bytes, *, only_if_used: bool) -> bool:
        """End every token of this one's family; with `only_if_used`, only when this one had been used before."""
        family = select(refresh_tokens.c.family).where(refresh_tokens.c.sha256 == sha256)
        if only_if_used:
            family = family.where(refresh_tokens.c.used_at.is_not(None))
        statement = update(refresh_tokens).where(refresh_tokens.c.family.in_(family), refresh_tokens.c.revoked_at.is_(None)).values(revoked_at=func.now())
        return self._transaction.execute(statement).rowcount > 0

    def revoke_user(self, user_id: str) -> None:
        """End every token of a person."""
        statement = update(refresh_tokens).where(refresh_tokens.c.user_id == user_id, refresh_tokens.c.revoked_at.is_(None)).values(revoked_at=func.now())
        self._transaction.execute(statement)

"""Signed cursors of lists: where the next page goes on, readable by the API alone and good for one organization."""

import base64
import hashlib
import hmac
import json
from datetime import datetime

from domain.errors import UsageError
from store.records import After


class Cursors:
    """Seal and open cursors with a secret of the installation."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, organization_id: str, last: After) -> str:
        """Write a cursor that goes on after a row."""
        body = json.dumps([last.created_at.isoformat(), last.id]).encode()
        return base64.urlsafe_b64encode(self._mark(organization_id, body) + body).decode().rstrip("=")

    def open(self, organization_id: str, cursor: str | None) -> After | None:
        """Read a cursor, None for the first page; raises UsageError for one that was not made here for this organization."""
        if cursor is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            mark, body = raw[:16], raw[16:]
            if not hmac.compare_digest(mark, self._mark(organization_id, body)):
                raise ValueError("the signature does not match")
            created_at, row_id = json.loads(body)
            return After(datetime.fromisoformat(created_at), row_id)
        except ValueError as error:
            raise UsageError("The cursor is not one of this list's", why=str(error), fix="Take next_cursor from the page before, or leave it out") from error

    def _mark(self, organization_id: str, body: bytes) -> bytes:
        return hmac.new(self._secret, organization_id.encode() + b"|" + body, hashlib.sha256).digest()[:16]

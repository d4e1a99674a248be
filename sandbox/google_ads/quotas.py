"""Operations a day by the developer token's access level (developers.google.com/google-ads/api/docs/access-levels)."""

import threading
from collections import Counter
from datetime import datetime, timedelta

from sandbox.google_ads.errors import GoogleAdsError

LEVELS = {"explorer": 2_880, "basic": 15_000}
"""A developer token that begins with one of these names has its limit; every other has standard access, which has none."""


class Quotas:
    """Count operations by token and day; a whole Search or SearchStream is one, its further pages are free."""

    def __init__(self) -> None:
        self._used: Counter[tuple[str, object]] = Counter()
        self._lock = threading.Lock()

    def take(self, developer_token: str, now: datetime) -> None:
        """Count one operation. Raises GoogleAdsError beyond the limit, with the seconds until the next day."""
        level = next((name for name in LEVELS if developer_token.startswith(name)), "")
        if not level:
            return
        with self._lock:
            self._used[developer_token, now.date()] += 1
            used = self._used[developer_token, now.date()]
        if used > LEVELS[level]:
            tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            seconds = round((tomorrow - now).total_seconds())
            name = f"Number of operations for {level} access"
            raise GoogleAdsError("quota_error", "RESOURCE_EXHAUSTED", f"Too many requests. Retry in {seconds} seconds.", retry_delay=seconds, rate_name=name)

    def forget(self) -> None:
        """Start counting again."""
        with self._lock:
            self._used.clear()

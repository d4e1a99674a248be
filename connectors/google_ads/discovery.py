"""Find the accounts below every manager that a Google Ads credential reaches, each once."""

from collections.abc import Callable, Iterator
from typing import Any

from connectors.discovery import Discovery
from domain.catalogue import Account
from domain.errors import AuthorizationExpired, PermissionDenied
from domain.platforms import Platform

QUERY = (
    "SELECT customer_client.id, customer_client.level, customer_client.manager, customer_client.status, customer_client.hidden, "
    "customer_client.currency_code, customer_client.time_zone, customer_client.descriptive_name FROM customer_client"
)


def discover(accessible: Callable[[], list[str]], search: Callable[[str, str, str], Iterator[Any]], login_customer_id: str) -> Discovery:
    """Walk every root (or the login manager alone) with one customer_client query each; nested managers come with it.

    A root that is closed to the credential is left out with the reason, unless every root is; then its error is raised.
    """
    roots = [login_customer_id] if login_customer_id else sorted(accessible())
    found = Discovery()
    seen: dict[str, Account] = {}
    refused: list[PermissionDenied] = []
    for root in roots:
        try:
            for message in search(root, QUERY, root):
                for row in message.results:
                    _take(row.customer_client, root, seen, found.left_out)
        except PermissionDenied as error:
            refused.append(error)
            found.left_out[root] = error.why or error.what
            found.refused.add(root)
    if roots and len(refused) == len(roots):
        raise refused[0]
    if not roots:
        raise AuthorizationExpired(
            "the credentials reach no account at all", platform=str(Platform.GOOGLE_ADS), fix="Log in as a user that has access to a Google Ads account"
        )
    found.accounts = sorted(seen.values(), key=lambda a: a.account_id)
    found.left_out = {i: reason for i, reason in found.left_out.items() if i not in seen}
    return found


def _take(client: Any, root: str, seen: dict[str, Account], left_out: dict[str, str]) -> None:  # noqa: ANN401 - a protobuf message of any API version
    """Keep one row of customer_client, or its reason for being left out; managers are simply passed over."""
    account_id = str(client.id)
    status = client.DESCRIPTOR.fields_by_name["status"].enum_type.values_by_number.get(client.status)
    name = status.name if status else str(client.status)
    if client.manager or account_id in seen:
        return
    if name not in {"ENABLED", "UNSPECIFIED"}:
        left_out[account_id] = f"its status is {name}"
        return
    seen[account_id] = Account(
        platform=str(Platform.GOOGLE_ADS),
        account_id=account_id,
        name=client.descriptive_name or account_id,
        currency=client.currency_code,
        timezone=client.time_zone,
        parent_id=root if root != account_id else "",
    )

"""The advertising accounts that the sandbox serves."""

from dataclasses import dataclass

from domain.platforms import Platform


@dataclass(frozen=True)
class SandboxAccount:
    """One account of one platform. `timezone` is IANA, `currency` ISO 4217, `client` the agency's customer it works for."""

    platform: Platform
    account_id: str
    name: str
    currency: str
    timezone: str
    client: str
    enabled: bool = True
    number: int = 0
    """The platform's numeric id where `account_id` is a login (Direct's ClientId)."""

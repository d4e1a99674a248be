"""What a credential reaches: the accounts that carry metrics, and why the others were left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from domain.catalogue import Account, Connector


@dataclass
class Discovery:
    """Accounts, each once, and the reason for each one that was left out, by its id."""

    accounts: list[Account] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Those of `left_out` that the platform refused to show: one that was pulled before has been lost."""

    @property
    def notes(self) -> list[str]:
        """Say which accounts were left out and why."""
        return [f"account {account_id} left out: {reason}" for account_id, reason in sorted(self.left_out.items())]


class Discoverer(Connector, Protocol):
    """A connector that also says why an account was left out."""

    def discover(self) -> Discovery:
        """List the accounts and the reasons."""
        ...


def summary(found: Discovery, platform: str, noun: str, facts: Mapping[str, str]) -> str:
    """Say in one sentence what was found; `facts` are added in brackets."""
    extra = f" ({', '.join(f'{k} {v}' for k, v in facts.items())})" if facts else ""
    return "; ".join([f"{platform} answers{extra}; {len(found.accounts)} {noun} can be read", *found.notes])

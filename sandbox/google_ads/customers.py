"""The tree of Google Ads customers: a root manager, managers below it, and the accounts."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from sandbox.accounts import SandboxAccount

ROOT = "8880001112"
FIRST_MANAGER = 8880002001
CANCELED = "6606606606"


@dataclass(frozen=True)
class Customer:
    """One customer; `account` is None for a manager and for the canceled account, which have no facts."""

    id: str
    name: str
    currency: str
    timezone: str
    manager: bool = False
    status: str = "ENABLED"
    parent: str = ""
    account: SandboxAccount | None = None


class CustomerTree:
    """Who stands under whom, and which customers the token opens directly.

    An agency of several clients gets a manager for each below the root, and one account that the token also opens directly. The accounts of a
    dataset all stand right under the root and are open directly too.
    """

    def __init__(self, accounts: list[SandboxAccount]) -> None:
        self._customers: dict[str, Customer] = {}
        self.accessible: list[str] = []
        if not accounts:
            return
        clients = list(dict.fromkeys(a.client for a in accounts))
        nested = any(a.client != a.name for a in accounts)
        first = accounts[0]
        self._add(Customer(ROOT, "Sandbox agency", first.currency, first.timezone, manager=True))
        self.accessible.append(ROOT)
        for number, client in enumerate(clients if nested else ()):
            own = next(a for a in accounts if a.client == client)
            self._add(Customer(str(FIRST_MANAGER + number), client, own.currency, own.timezone, manager=True, parent=ROOT))
        for account in accounts:
            parent = str(FIRST_MANAGER + clients.index(account.client)) if nested else ROOT
            self._add(Customer(account.account_id, account.name, account.currency, account.timezone, parent=parent, account=account))
            if not nested or account is first:
                self.accessible.append(account.account_id)
        if nested:
            self._add(Customer(CANCELED, "Old account", first.currency, first.timezone, status="CANCELED", parent=ROOT))

    def _add(self, customer: Customer) -> None:
        self._customers[customer.id] = customer

    def find(self, customer_id: str) -> Customer | None:
        """Return a customer, None when there is none."""
        return self._customers.get(customer_id)

    def below(self, customer_id: str) -> Iterator[tuple[Customer, int]]:
        """Yield a customer and all below it, each with its level, itself first with 0."""
        level = {customer_id: 0}
        if own := self.find(customer_id):
            yield own, 0
        for customer in self._customers.values():
            if customer.parent in level:
                level[customer.id] = level[customer.parent] + 1
                yield customer, level[customer.id]

    def opens(self, login: str, customer_id: str) -> bool:
        """Tell whether the token may see a customer when it logs in through `login` (empty: directly)."""
        if not login:
            return customer_id in self.accessible
        return login in self._reachable and any(above == login for above in self._upwards(customer_id))

    def _upwards(self, customer_id: str) -> Iterator[str]:
        """Yield a customer's id and those of the managers above it."""
        customer = self.find(customer_id)
        while customer is not None:
            yield customer.id
            customer = self.find(customer.parent)

    @cached_property
    def _reachable(self) -> frozenset[str]:
        """Return every customer that the token reaches through some login; the tree does not change."""
        return frozenset(c for c in self._customers if any(above in self.accessible for above in self._upwards(c)))

"""Nodes as a client sees them: wanted fields, expanded parents and edges, and the filters of an edge."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.meta_ads.asking import Condition, filters, listed
from sandbox.meta_ads.errors import invalid
from sandbox.meta_ads.expansion import Field, nonexisting
from sandbox.meta_ads.fields import ACCOUNT
from sandbox.meta_ads.nodes import EDGES, EMPTY_EDGES, Node, account_node, creative_id, entity_nodes, find_entity
from sandbox.meta_ads.paging import cursor
from sandbox.world import World

KEPT = 32
_PARENTS = {"campaign": "campaigns", "adset": "adsets", "creative": "adcreatives"}
_BELOW = {
    "account": ("campaigns", "adsets", "ads", "adcreatives"),
    "campaigns": ("adsets", "ads"),
    "adsets": ("ads", "adcreatives"),
    "ads": ("adcreatives",),
    "adcreatives": (),
}
_LINK = {"campaigns": "campaign_id", "adsets": "adset_id"}
_COLUMNS = {"campaigns": "campaign_id", "adsets": "ad_group_id", "ads": "ad_id", "adcreatives": "ad_id"}

InsightsRows = Callable[[SandboxAccount, str, tuple[Condition, ...], dict[str, str]], dict[str, object]]
"""Answers an expanded `insights{…}`: account, level, conditions, parameters."""


class Reader:
    """The nodes of all accounts, made once for each day of the clock."""

    def __init__(self, world: World, insights: InsightsRows) -> None:
        self._world = world
        self._insights = insights
        self._made: OrderedDict[tuple[str, str, date, date], dict[str, Node]] = OrderedDict()
        self._lock = threading.Lock()

    def nodes(self, account: SandboxAccount, edge: str) -> dict[str, Node]:
        """Return the nodes of an edge of an account by their ids."""
        key = (account.account_id, edge, self._world.clock.day, self._world.today(account))
        with self._lock:
            known = self._made.get(key)
        if known is None:
            known = {n["id"]: n for n in entity_nodes(edge, account, self._world.facts(account))}
            with self._lock:
                self._made[key] = known
                while len(self._made) > KEPT:
                    self._made.popitem(last=False)
        return known

    def account(self, account: SandboxAccount, fields: Sequence[Field]) -> Node:
        """Return an account with the wanted fields."""
        return self._view(account, "account", account_node(account, self._world.facts(account)), fields, ("account_id",))

    def find(self, node_id: str) -> tuple[SandboxAccount, str, Node, tuple[Condition, ...]] | None:
        """Find the node with an id: its account, its edge, itself, and the condition that keeps its facts."""
        found = find_entity(node_id, {a: self._world.facts(a) for a in self._world.accounts(Platform.META_ADS)})
        if found is None:
            return None
        account, edge, own = found
        return account, edge, self.nodes(account, edge)[node_id], (Condition(_COLUMNS[edge], "IN", (own,)),)

    def node(self, account: SandboxAccount, edge: str, node: Node, fields: Sequence[Field]) -> Node:
        """Return a campaign, ad set, ad or creative with the wanted fields."""
        return self._view(account, edge, node, fields, ("id",))

    def below(self, account: SandboxAccount, edge: str, owner: tuple[str, Node] | None = None) -> list[Node]:
        """List an edge of the account, or of one of its campaigns, ad sets and ads: `owner` is that one's edge and node."""
        kind = owner[0] if owner else "account"
        if edge not in _BELOW[kind]:
            raise nonexisting(edge, "AdAccount" if owner is None else EDGES[kind].type)
        every = list(self.nodes(account, edge).values())
        if owner is None:
            return every
        if edge == "adcreatives":
            ads = [owner[1]] if kind == "ads" else self.below(account, "ads", owner)
            mine = {creative_id(ad["id"]) for ad in ads}
            return [n for n in every if n["id"] in mine]
        return [n for n in every if n[_LINK[kind]] == owner[1]["id"]]

    def _view(self, account: SandboxAccount, edge: str, node: Node, fields: Sequence[Field], default: tuple[str, ...]) -> Node:
        known, type_name = (ACCOUNT, "AdAccount") if edge == "account" else (EDGES[edge].fields, EDGES[edge].type)
        shown: Node = {}
        for one in fields or [Field(name) for name in default]:
            if one.name in _BELOW[edge] or one.name in EMPTY_EDGES:
                shown[one.name] = self._edge(account, edge, node, one)
            elif one.name == "insights" and edge != "adcreatives":
                shown[one.name] = self._sub_insights(account, edge, node, one)
            elif one.name not in known:
                raise nonexisting(one.name, type_name)
            elif one.name in _PARENTS:
                shown[one.name] = self._parent(account, node, one)
            elif one.name in node:
                shown[one.name] = node[one.name]
        return {**shown, "id": node["id"]}

    def _parent(self, account: SandboxAccount, node: Node, wanted: Field) -> Node:
        edge = _PARENTS[wanted.name]
        parent_id = node["creative"]["id"] if wanted.name == "creative" else node[f"{wanted.name}_id"]
        return self._view(account, edge, self.nodes(account, edge)[parent_id], wanted.within, ("id",))

    def _edge(self, account: SandboxAccount, edge: str, node: Node, wanted: Field) -> dict[str, object]:
        every = [] if wanted.name in EMPTY_EDGES else self.below(account, wanted.name, None if edge == "account" else (edge, node))
        page = every[: int(wanted.modifiers.get("limit", "25"))]
        shown = [self._view(account, wanted.name, n, wanted.within, ("id",)) for n in page]
        return {"data": shown, "paging": {"cursors": {"before": cursor(0), "after": cursor(len(page))}}} if shown else {"data": []}

    def _sub_insights(self, account: SandboxAccount, edge: str, node: Node, wanted: Field) -> dict[str, object]:
        level = "account" if edge == "account" else EDGES[edge].insights
        conditions = () if edge == "account" else (Condition(_COLUMNS[edge], "IN", (node["id"],)),)
        return self._insights(account, level, conditions, {**wanted.modifiers, "fields": ",".join(f.name for f in wanted.within)})


def kept(nodes: list[Node], params: dict[str, str]) -> list[Node]:
    """Apply an edge's `effective_status` and `filtering`. Raises GraphError for a filter that the edge does not have."""
    wanted = set(listed(params.get("effective_status", "")))
    if wanted:
        nodes = [n for n in nodes if n.get("effective_status", "ACTIVE") in wanted]
    for name, operator, values in filters(params.get("filtering", "")):
        own = name.rpartition(".")[2]
        nodes = [n for n in nodes if _holds(n.get(own), operator, values, name)]
    return nodes


def _holds(value: Any, operator: str, values: tuple[str, ...], name: str) -> bool:  # noqa: ANN401
    if operator in ("IN", "EQUAL"):
        return value is None or str(value) in values
    if operator in ("NOT_IN", "NOT_EQUAL"):
        return str(value) not in values
    if operator in ("CONTAIN", "NOT_CONTAIN"):
        return (values[0].lower() in str(value).lower()) == (operator == "CONTAIN")
    if operator in ("GREATER_THAN", "LESS_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN_OR_EQUAL", "AFTER", "BEFORE"):
        own, bound = _number(value), _number(values[0])
        return own > bound if operator[0] in "GA" else own < bound
    raise invalid(f"Filtering field '{name}' with operation '{operator.lower()}' is not supported")


def _number(value: Any) -> float:  # noqa: ANN401
    """Read a number, or a moment as seconds since 1970."""
    try:
        return float(value)
    except (TypeError, ValueError):
        try:
            return datetime.fromisoformat(str(value)).timestamp()
        except ValueError:
            return 0.0

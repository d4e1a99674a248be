"""Goals: a conversion action of the facts has the number that Direct and Metrica know it by."""

from hashlib import sha256

import polars as pl

from sandbox.facts import AccountFacts


def goal_id(action: str) -> int:
    """Return an action's goal number: itself where it is one, else a number that stays the same."""
    if action.isdecimal() and len(action) < 18:
        return int(action)
    return 100_000_000 + int.from_bytes(sha256(action.encode()).digest()[:6], "big") % 800_000_000


def goals_of(facts: AccountFacts) -> dict[int, str]:
    """Return the account's goals: number and name, which is the conversion action's."""
    return {goal_id(action): action for action in facts.values("conversion_action")}


def actions_of(rows: pl.DataFrame, goal: str) -> list[str]:
    """Return the actions among the rows that have a goal's number."""
    return [action for action in rows["conversion_action"].unique() if action and str(goal_id(action)) == goal]

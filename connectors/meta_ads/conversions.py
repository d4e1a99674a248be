"""Count Meta's conversions in one tier, independently of the marts, so that the two can be compared.

One purchase appears as omni_purchase, purchase, offsite_conversion.fb_pixel_purchase, …: a family counts once, at the highest
tier present. Below, the types of one channel are names of the same conversion (the greatest counts) and channels add up.
"""

import json
from decimal import Decimal

_FAMILIES = (
    (
        (("omni_purchase",),),
        (("purchase",),),
        (
            ("offsite_conversion.fb_pixel_purchase", "onsite_web_purchase", "onsite_web_app_purchase"),
            ("app_custom_event.fb_mobile_purchase",),
            ("onsite_conversion.purchase", "onsite_app_purchase"),
            ("offline_conversion.purchase",),
        ),
    ),
    (
        (("omni_lead",),),
        (("lead",),),
        (
            ("offsite_conversion.fb_pixel_lead", "onsite_web_lead"),
            ("onsite_conversion.lead_grouped", "onsite_conversion.lead", "leadgen_grouped", "leadgen.other"),
            ("offline_conversion.lead",),
        ),
    ),
)


def conversions(actions: str | None) -> Decimal:
    """Return the conversions in an `actions` column: each family once, purchases and leads together."""
    counts: dict[str, Decimal] = {}
    for action in json.loads(actions or "[]", parse_float=Decimal):
        counts[action["action_type"]] = Decimal(str(action.get("value", 0)))
    return sum((_family(counts, tiers) for tiers in _FAMILIES), Decimal(0))


def _family(counts: dict[str, Decimal], tiers: tuple[tuple[tuple[str, ...], ...], ...]) -> Decimal:
    for channels in tiers:
        if any(kind in counts for channel in channels for kind in channel):
            return sum((max((counts.get(kind, Decimal(0)) for kind in channel), default=Decimal(0)) for channel in channels), Decimal(0))
    return Decimal(0)

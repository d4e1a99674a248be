"""Lay a plan out into lines: one for each ad, or for a whole campaign that has no ads."""

from dataclasses import dataclass

import numpy as np

from domain.platforms import Platform
from sandbox.generator.agency import AccountPlan, CampaignPlan
from sandbox.generator.noise import Noise

WITHOUT_ADS = ("performance_max", "master")
_CREATIVES = ("Видео 15 с", "Карусель", "Статика «до/после»", 'Отзыв "5 звёзд"', "Короткий заголовок", "Скидка в заголовке", "Вопрос")
_CREATIVES_EN = ("Video 15s", "Carousel", "Static before/after", 'Quote "5 stars"', "Short headline", "Price headline", "Question")
NEVER = -100_000
ALWAYS = 100_000


@dataclass(frozen=True)
class Line:
    """One thing that has its own daily rows. It lives from `first` to `last` days before the anchor."""

    plan: CampaignPlan
    code: int
    campaign_id: str
    campaign_name: str
    ad_group_id: str
    ad_group_name: str
    ad_id: str
    ad_name: str
    share: float
    quality: float
    first: int
    last: int


def lay_out(plan: AccountPlan, seed: int) -> list[Line]:
    """Return the lines of an account, in the order of their ids."""
    lines: list[Line] = []
    for number, campaign in enumerate(plan.campaigns):
        campaign_id = plan.id_base + number * 1_000
        first = ALWAYS if campaign.starts is None else campaign.starts
        last = NEVER if campaign.ends is None else campaign.ends
        if campaign.kind in WITHOUT_ADS:
            lines.append(Line(campaign, campaign_id, str(campaign_id), campaign.name, "", "", "", "", 1.0, 1.0, first, last))
            continue
        codes = [campaign_id + 10 * (g + 1) + a + 1 for g in range(len(campaign.groups)) for a in range(campaign.ads)]
        noise = Noise(seed, np.array([0]), np.array(codes, dtype=np.int64))
        weights = 0.35 + noise.each(1)
        for index, code in enumerate(codes):
            group, ad = divmod(index, campaign.ads)
            group_id = campaign_id + 10 * (group + 1)
            lines.append(
                Line(
                    campaign,
                    code,
                    str(campaign_id),
                    campaign.name,
                    str(group_id * 100),
                    campaign.groups[group],
                    str(code * 100 + 7),
                    _ad_name(plan, campaign.groups[group], ad),
                    float(weights[index] / weights.sum()),
                    float(0.7 + 0.6 * noise.each(2)[index]),
                    *_life(float(noise.each(3)[index]), float(noise.each(4)[index]), first, last),
                )
            )
    return lines


def _life(kind: float, moment: float, first: int, last: int) -> tuple[int, int]:
    """Give one ad in seven a later start, one in eight an earlier end, and let the others live as long as their campaign."""
    if kind < 0.14:
        return min(first, int(60 + 300 * moment)), last
    if kind < 0.26:
        return first, max(last, int(30 + 320 * moment)) if first == ALWAYS else last
    return first, last


def _ad_name(plan: AccountPlan, group: str, number: int) -> str:
    """Name an ad; Direct's ads have no name."""
    if plan.account.platform is Platform.YANDEX_DIRECT:
        return ""
    creatives = _CREATIVES if plan.rhythm == "retail" else _CREATIVES_EN
    return f"{group} / {creatives[number % len(creatives)]}"

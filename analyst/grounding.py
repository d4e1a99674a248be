"""The slot rule: what a text may say. Numbers only in slots; directions, causes, metrics and names only as the facts bear them out.

The rule errs on the strict side: a refused text is repaired once, then the template speaks.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from analyst.lexicon import CAUSE, DOUBT, DOWN, HIDDEN_NUMBERS, METRIC_WORDS, MONTHS, NUMBER_WORDS, PAST, ROMAN, RU_LATIN, SPELLED, SUPERLATIVE, UP
from domain.facts import Fact
from domain.slots import PLATFORM_NAMES, SLOT, clean_name, fits, platform_name

LONGEST = 1200
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_SEGMENT = re.compile(r"[;:—–(),]|\s-\s")
_QUOTED = re.compile(r"[«“\"„]([^«»“”\"„]{1,200})[»”\"]")
_NUMBER_MARKS = re.compile(r"[%‰‱№#$€₽£¥¢₴₸±×÷≈=<>~^*_`|\\/@\[\]{}&+]")
_LINK = re.compile(r"https?:|www\.|\w\.(?:com|ru|net|org|io)\b", re.IGNORECASE)
_SIGN_BEFORE_SLOT = re.compile(r"[-−–+]\s*$")
_NAME, _DATE = "\ue000", "\ue001"
"""Stand-ins for accepted names and dates while the rest is read."""


@dataclass(frozen=True)
class Ground:
    """What texts may refer to: the facts, outsiders' names (only in quotes), known dates as they are printed."""

    facts: Mapping[str, Fact]
    language: str
    names: Collection[str] = ()
    dates: Collection[str] = ()
    codes: Collection[str] = ()
    """Currency codes that stand for their totals at the start of a title."""
    since: date | None = None
    """First day of the reported period: a number of an earlier one needs a word that says so."""


@dataclass
class Mention:
    """A slot in a sentence, with its fact and format."""

    fact: Fact
    form: str
    place: int


@dataclass
class Reading:
    """A sentence with its slots taken out: a slot is replaced by spaces, so that places stay."""

    words: str
    mentions: list[Mention] = field(default_factory=list)
    names: list[tuple[int, str]] = field(default_factory=list)
    """Places of quoted names and platforms, with what they are."""


def problems(text: str, ground: Ground) -> list[str]:
    """Say what forbids the text, in words that a model can act on; empty for a text that may be published."""
    found = list(_form(text))
    if found:
        return found
    for sentence in _sentences(text):
        reading, faults = _read(sentence, ground)
        found += faults
        if not faults:
            found += [*_numbers(reading, ground), *_claims(reading, ground)]
    return list(dict.fromkeys(found))


def _form(text: str) -> Iterator[str]:
    """Check the text as a whole: length, characters, links."""
    if not text.strip():
        yield "the text is empty"
    if len(text) > LONGEST:
        yield f"the text is longer than {LONGEST} characters"
    if unicodedata.normalize("NFC", text) != text:
        yield "the text is not in Unicode normal form"
    if _LINK.search(text):
        yield "links are not allowed"
    for char in sorted(set(text)):
        kind = unicodedata.category(char)
        if char != "\n" and (kind[0] == "C" or kind in {"Mn", "Me", "Mc", "Nl", "No", "So", "Sk"} or (kind == "Nd" and not char.isascii())):
            yield f"the character U+{ord(char):04X} is not allowed"


def _sentences(text: str) -> Iterator[str]:
    """Split into sentences; marks inside quotes do not end one."""
    hidden = _QUOTED.sub(lambda m: re.sub(r"[.!?…]", "\ue002", m.group()), text)
    place = 0
    for part in _SENTENCE.split(hidden):
        start = hidden.index(part, place)
        place = start + len(part)
        if part.strip():
            yield text[start:place]


def _read(sentence: str, ground: Ground) -> tuple[Reading, list[str]]:
    """Take slots, names and dates out of a sentence."""
    faults: list[str] = []
    reading = Reading(sentence)
    for match in SLOT.finditer(sentence):
        fact = ground.facts.get(match.group(1))
        if fact is None:
            faults.append(f"there is no fact {match.group(1)}")
        elif not fits(fact, match.group(2)):
            faults.append(f"{fact.id} cannot be printed as {match.group(2)}")
        elif fact.value is None:
            faults.append(f"{fact.id} has no value")
        else:
            reading.mentions.append(Mention(fact, match.group(2), match.start()))
            if match.group(2) == "name":
                reading.names.append((match.start(), _identity(fact)))
    words = SLOT.sub(lambda m: " " * len(m.group()), sentence)
    for match in _QUOTED.finditer(words):
        if match.group(1) not in ground.names:
            faults.append(f"the quoted name {match.group(1)!r} is not a known one")
        reading.names.append((match.start(), f"name:{match.group(1)}"))
        words = words[: match.start()] + _NAME * len(match.group()) + words[match.end() :]
    for known in sorted(ground.dates, key=len, reverse=True):
        words = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", lambda m: _DATE * len(m.group()), words)
    for code in PLATFORM_NAMES:
        for match in re.finditer(rf"(?<!\w){re.escape(platform_name(code, ground.language))}(?!\w)", words):
            reading.names.append((match.start(), f"platform:{code}"))
    for code in ground.codes:
        words = re.sub(rf"^\s*{re.escape(code)}:", lambda m: _DATE * len(m.group()), words)
    reading.words = words
    return reading, faults


def _numbers(reading: Reading, ground: Ground) -> Iterator[str]:
    """Refuse every number, mark or word of quantity outside slots."""
    plain = _plain(reading.words)
    if any(char.isdigit() or char.isnumeric() for char in plain):
        yield "digits stand outside slots"
    mark = _NUMBER_MARKS.search(plain)
    if mark:
        yield f"{mark.group()!r} stands outside slots"
    for pattern in (NUMBER_WORDS, HIDDEN_NUMBERS, SPELLED, ROMAN):
        match = pattern.search(reading.words if pattern is ROMAN else plain)
        if match:
            yield f"{match.group()!r} says a quantity in words: use a slot"
    month = MONTHS.search(plain)
    if month:
        yield f"{month.group()!r} is a date that is not one of the known ones"
    for mention in reading.mentions:
        if (
            mention.form != "name"
            and _SIGN_BEFORE_SLOT.search(reading.words[: mention.place])
            and not reading.words[: mention.place].rstrip().endswith(("—", " –"))
        ):
            yield f"a sign stands before the slot of {mention.fact.id}: use the _signed format"
    yield from _letters(plain, ground.language)


def _letters(plain: str, language: str) -> Iterator[str]:
    """Refuse scripts that the language does not use, and words of mixed scripts."""
    for word in re.findall(r"[^\W\d_]+", plain):
        if word[0] in {_NAME, _DATE}:
            continue
        latin, cyrillic = (any(char in _script(name) for char in word) for name in ("latin", "cyrillic"))
        foreign = any(char not in _script("latin") and char not in _script("cyrillic") for char in word)
        if foreign or (latin and cyrillic) or (language == "en" and cyrillic) or (language == "ru" and latin and word not in RU_LATIN):
            yield f"the word {word!r} is not written in the language of the report"


def _script(name: str) -> str:
    return "abcdefghijklmnopqrstuvwxyz" if name == "latin" else "абвгдежзийклмнопрстуфхцчшщъыьэюя"


def _claims(reading: Reading, ground: Ground) -> Iterator[str]:
    """Hold direction, cause, superlative, metric and name words against the facts of the sentence."""
    plain = _plain(reading.words)
    facts = [mention.fact for mention in reading.mentions]
    cause = CAUSE.search(plain)
    if cause and not any(fact.operation.startswith("decomposition") for fact in facts):
        yield f"{cause.group()!r} claims a cause without a decomposition fact in the sentence"
    superlative = SUPERLATIVE.search(plain)
    if superlative and not any(fact.operation == "rank" for fact in facts):
        yield f"{superlative.group()!r} claims a rank without a rank fact in the sentence"
    doubt = DOUBT.search(plain)
    if doubt and (facts or UP.search(plain) or DOWN.search(plain)):
        yield f"{doubt.group()!r} turns or weakens what the facts say"
    past = [fact for fact in facts if ground.since and fact.until < ground.since]
    if past and not PAST.search(plain):
        yield f"{past[0].id} is of the period before, and the sentence does not say so"
    yield from _directions(plain, reading.mentions)
    yield from _metrics(plain, reading.mentions)
    yield from _subjects(reading, ground)


def _directions(plain: str, mentions: Iterable[Mention]) -> Iterator[str]:
    """Give each change slot to the direction word before it in its segment, and compare the signs."""
    borders = [0, *(match.end() for match in _SEGMENT.finditer(plain)), len(plain) + 1]
    words = sorted([(m.start(), 1, m.group()) for m in UP.finditer(plain)] + [(m.start(), -1, m.group()) for m in DOWN.finditer(plain)])
    numbers = [mention for mention in mentions if mention.form != "name"]
    for start, end in pairwise(borders):
        inside = [word for word in words if start <= word[0] < end]
        slots = [mention for mention in numbers if start <= mention.place < end]
        changes = [mention for mention in slots if is_change(mention.fact)]
        for place, direction, word in inside:
            following = next((other for other, *_ in inside if other > place), end)
            own = [m for m in changes if place < m.place < following] or ([m for m in changes if m.place < place] if len(inside) == 1 else [])
            signs = {_sign(mention.fact) for mention in own} or _levels([m for m in slots if place < m.place < following])
            if signs != {direction}:
                yield f"{word!r} is not borne out by the sign of a change slot beside it"
        if not inside and any(mention.form.endswith("_abs") for mention in changes):
            yield "a change without its sign needs a direction word in the same clause"


def _levels(slots: list[Mention]) -> set[int]:
    """Return the sign of `from A to B` over two periods of one metric; empty where the slots say no direction."""
    facts = [mention.fact for mention in slots]
    if len(facts) != 2 or facts[0].metric != facts[1].metric or facts[0].filters != facts[1].filters or facts[0].since == facts[1].since:
        return set()
    later, earlier = sorted(facts, key=lambda fact: fact.since, reverse=True)
    assert later.value is not None
    assert earlier.value is not None
    return {(later.value > earlier.value) - (later.value < earlier.value)}


def _metrics(plain: str, mentions: Iterable[Mention]) -> Iterator[str]:
    """Refuse a slot whose nearest metric word before it (or after it, where none stands before) names another metric."""
    named = sorted(_metric_places(plain))
    for mention in mentions:
        if mention.form == "name" or not named:
            continue
        metric = next((name for place, name in reversed(named) if place < mention.place), named[0][1])
        if metric not in {mention.fact.metric, mention.fact.operation.rpartition(":")[2]}:
            yield f"{mention.fact.id} is {mention.fact.metric}, and the words beside it speak of {metric}"


def _metric_places(plain: str) -> Iterator[tuple[int, str]]:
    rest = plain
    for metric, pattern in METRIC_WORDS.items():
        for match in list(pattern.finditer(rest)):
            yield match.start(), metric
            rest = rest[: match.start()] + " " * len(match.group()) + rest[match.end() :]


def _subjects(reading: Reading, ground: Ground) -> Iterator[str]:
    """Refuse a slot that stands after another entity's name than its own."""
    for mention in reading.mentions:
        before = [name for place, name in sorted(reading.names) if place < mention.place]
        if mention.form != "name" and before and before[-1] not in _identities(mention.fact):
            yield f"{mention.fact.id} is not about the name before it"


def _identity(fact: Fact) -> str:
    """Name the entity of a fact: its campaign, or its platform."""
    if "campaign" in fact.filters:
        return "campaign:" + "|".join(fact.filters.get(key, "") for key in ("platform", "account", "campaign"))
    return f"platform:{fact.filters['platform']}" if "platform" in fact.filters else ""


def _identities(fact: Fact) -> set[str]:
    """Return the mentions that stand for a fact's entity."""
    names = {f"name:{clean_name(fact.filters['campaign_name'])}"} if "campaign_name" in fact.filters else set()
    return {_identity(fact), *names}


def is_change(fact: Fact) -> bool:
    """Say whether a fact is a change, so that its sign is a direction."""
    return fact.operation.startswith(("diff", "decomposition")) or (fact.operation == "ratio" and fact.unit == "percent")


def _sign(fact: Fact) -> int:
    return 0 if fact.value is None else (fact.value > 0) - (fact.value < 0)


def _plain(words: str) -> str:
    """Casefold without changing places, and write ё as е."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in words).replace("ё", "е").replace("’", "'")

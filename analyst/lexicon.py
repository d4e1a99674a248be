"""Words that may not stand outside slots, and words that claim something the facts must bear out. Russian and English.

All patterns are matched against casefolded text in which ё is written е.
"""

import re
from collections.abc import Mapping


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)")


NUMBER_WORDS = _words(
    # English: cardinals, ordinals, fractions, multiples, groups
    r"(?:zero|nil|nought|naught|one|ones|once|two|twice|three|thrice|four|five|six|seven|eight|nine|ten|eleven|twelve)(?:s|th|fold)?",
    r"(?:thir|four|fif|six|seven|eigh|nine)teen(?:s|th|fold)?",
    r"(?:twent|thirt|fort|fourt|fift|sixt|sevent|eight|ninet)(?:y|ies|ieth|yfold)\w*",
    r"(?:hundred|thousand|million|billion|trillion|dozen|score)(?:s|th|ths|fold)?|bn|mln|mn|mm|mio|k|m",
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|twelfth)(?:s|ly)?",
    r"half|halves|halv\w+|halfway|quarter\w*|doubl\w+|tripl\w+|trebl\w+|quadrupl\w+|quintupl\w+|sextupl\w+|tenfold|\w+fold|multipl\w+",
    r"couple\w*|pair\w*|both|duo|trio|twofold|twin\w*|majority|minority|percent\w*|per cent|pct|percentile\w*|basis points?|bps?|pp|points?",
    r"dollars?|cents?|euros?|roubles?|rubles?|kopecks?|usd|eur|rub|gbp|bucks?|grand",
    r"zwei|drei|zehn|zwanzig|dreissig|vierzig|hundert|tausend|prozent",
    r"minus|plus|negative|times",
    # Russian: cardinals in every case, ordinals, fractions, multiples, groups
    r"нол[ьяюем]+|нул\w+|ноль|один|одн[аоуиеы]\w{0,3}|две|два|двум|двумя|двух|двое|двоих|двоим|двоими|двойн\w+|двойк\w*|оба|обе|обоих|обеих|обоими|обеими|обоим|обеим",
    r"три|трех|трем|тремя|трое|троих|троим|троими|тройн\w+|тройк\w*|четыр\w+|четвер\w+|пять|пяти|пятью|пятер\w+|пятикратн\w*|пят(?:ый|ая|ое|ого|ой|ую|ом|ые|ых)",
    r"шесть|шести|шестью|шестер\w+|шестикратн\w*|шест(?:ой|ая|ое|ого|ую|ом|ые|ых)|семь|семи|семью|семер\w+|семикратн\w*|седьм\w+|восем\w+|восьм\w+|девят\w+|десят\w+",
    r"\w*надцат\w*|двадцат\w*|тридцат\w*|сорок\w{0,3}|\w*десят\w*|девяност\w*|сто|ста|сотен|сотн\w+|сотую|сот|соты[йхем]\w*|двест\w+|двухсот\w*|трист\w+|\w+ьсот|(?:тре|пят|шест|сем|восьм|девят)[хи]сот\w*",
    r"тысяч\w*|тыщ\w*|тыс|миллион\w*|миллиард\w*|триллион\w*|млн|млрд|трлн|дюжин\w*|десятк\w+|пар[аыуе]|парой|парочк\w*",
    r"перв\w+|втор(?:ой|ая|ое|ого|ому|ым|ом|ую|ые|ых|ыми)|трет\w+|половин\w*|пол|полтор\w+|полу\w*кратн\w*|наполовину|вполовину|пополам|вдвое|втрое|вчетверо|впятеро",
    r"вшестеро|всемеро|ввосьмеро|вдевятеро|вдесятеро|двукрат\w*|двухкрат\w*|трехкрат\w*|троекрат\w*|\w*кратн\w*|дважды|трижды|четырежды|удв[ао]\w+|утр[ао][иие]\w+|учетвер\w+|упятер\w+",
    r"раз|раза|разы|разов|большинств\w*|меньшинств\w*|проц|процент\w*|промилле|п\.? ?п|пункт\w*|рубл\w*|руб|копе\w+|доллар\w*|евро|центов|цент",
    r"минус|плюс|единиц\w*|двоек|троек",
)
"""Numbers, shares, multiples, magnitudes and money written as words."""

HIDDEN_NUMBERS = re.compile(r"percent|процент|hundred|thousand|million|billion|надцать|десят[ьи]|миллион|миллиард|тысяч")
"""Number words that may hide inside longer ones."""

ROMAN = re.compile(r"(?<!\w)[IVXLCDM]{2,}(?!\w)")
"""Roman numerals, in the text as written."""

SPELLED = re.compile(r"(?<!\w)\w(?:[\s.\-_·]+\w){2,}(?!\w)")
"""Words spelled out letter by letter."""

UP = _words(
    r"r[io]se|rises|risen|rising|grew|grows?|growing|grown|growth|increas\w*|climb\w*|gain(?:s|ed|ing)?|jump\w*|surg\w+|soar\w*|up|upward\w*|higher|more|expanded|boosted|spik\w+",
    r"improv\w*|added|adds?|lifted|advanc\w+|rall\w+|rocket\w*|skyrocket\w*|swell\w*|swelled|escalat\w+|accelerat\w+|recover\w*",
    r"вырос\w*|выраст\w+|раст[еу]\w*|рос|росл[аои]|рост\w{0,3}|увелич\w+|повы[сш]\w+|поднял\w*|прибав\w+|возр[оа]с\w*|подскочи\w*|взлет\w*|прирост\w*|больше|выше|улучш\w+|ускор\w+|подорожа\w*|дорожа\w+|дороже|поднима\w+|прибавл\w+",
)
DOWN = _words(
    r"f[ae]ll|falls|fallen|falling|drop\w*|declin\w*|decreas\w*|reduc\w+|shr[aiu]nk\w*|down|downward\w*|lower\w*|fewer|less|lost|loses?|losing|slump\w*|plung\w+|plummet\w*|dipped|dips?|sank|sinks?|sunk",
    r"worsen\w*|weaken\w*|contract(?:ed|s|ing)|diminish\w*|slid|slides?|crash\w*|collaps\w+|tumbl\w+|deteriorat\w+|slow(?:ed|s|ing)|shed|halt\w*|cut|cuts|cheaper",
    r"упал\w*|пада\w+|падени\w+|сни[зж]\w+|уменьш\w+|сокра[тщ]\w+|просел\w*|проседа\w+|рухну\w*|потеря\w+|убав\w+|опусти\w+|обвали\w*|меньше|ниже|хуже|ухудш\w+|подешев\w+|дешев\w+|спад\w*|убыл\w*|замедл\w+|просадк\w+|опуска\w+",
)
CAUSE = _words(
    r"because|due to|owing to|thanks to|driven by|caused?(?: by)?|causes|causing|as a result|result(?:ed|s|ing)? (?:of|from|in)|attribut\w+|explain\w*|led to",
    r"leads? to|leading to|since|therefore|thus|hence|consequently|so that|reason\w*|stem\w*|fuel\w+|prompted|triggered|on the back of",
    r"из-за|изза|из за|благодаря|потому|вследствие|в результате|вызва\w+|обусловл\w+|по причине|причин\w*|поскольку|так как|привел\w*|приводит",
    r"объясня\w+|за счет|следстви\w+|поэтому|оттого|ввиду|в связи с|связан\w*|спровоцир\w+|повлия\w+|сказал(?:ось|ись|ся|ась)",
)
SUPERLATIVE = _words(
    r"best|worst|highest|lowest|largest|biggest|smallest|greatest|most|least|record\w*|unprecedented|ever|never|always|top|leading|leader\w*|maximum|minimum|peak\w*|historic\w*|all-time|twofold|significant\w*|dramatic\w*|massive\w*|huge\w*|tremendous\w*",
    r"лучш\w+|худш\w+|самы[йехм]\w*|сам(?:ая|ое|ую|ой|ого)|наибольш\w+|наименьш\w+|рекорд\w*|максимальн\w*|минимальн\w*|максимум\w*|минимум\w*|никогда|всегда|лидер\w*|беспрецедентн\w*|колоссальн\w*|огромн\w*|кратн\w*|значительн\w*|существенн\w*",
)
MONTHS = _words(
    r"january|february|march|april|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec",
    r"январ\w+|феврал\w+|март\w{0,2}|апрел\w+|ма[йяею]|июн\w+|июл\w+|август\w{0,2}|сентябр\w+|октябр\w+|ноябр\w+|декабр\w+",
    r"yesterday|today|tomorrow|year\w*|quarter\w*|вчера|сегодня|завтра|год\w{0,3}|лет|квартал\w*",
)
"""Dates that are not the known ones."""

PAST = _words(
    r"before|previous\w*|earlier|prior|last|against|from|was|were|had|compared|versus|vs",
    r"предыдущ\w+|прошл\w+|ранее|раньше|был[аои]?|прежн\w+|против|сравнени\w+|с|со",
)
"""Words that say that a number is the compared period's."""

DOUBT = _words(
    r"not|no|never|neither|nor|without|hardly|barely|instead|almost|nearly|\w+n't|cannot|will|would|could|should|may|might|expect\w*|forecast\w*|likely|if|unless|maybe|perhaps",
    r"не|ни|нет|без|едва|почти|вместо|буд[еу]\w+|ожида\w+|прогноз\w*|может|могут|возможно|вероятно|должн\w+|если|бы|якобы|кроме",
)
"""Negations, conditions and forecasts: beside a direction word or a number they turn its meaning."""

METRIC_WORDS: Mapping[str, re.Pattern[str]] = {
    "cpa": _words(r"cpas?|cost per (?:conversion|action|acquisition|lead)s?|цен\w{1,3} конверси\w+|стоимост\w+ конверси\w+|цен\w{1,3} лида"),
    "cpc": _words(r"cpcs?|cost per click|цен\w{1,3} клика|стоимост\w+ клика"),
    "cpm": _words(r"cpms?|cost per (?:mille|impression)s?|цен\w{1,3} показа"),
    "cvr": _words(r"cvr|conversion rates?|коэффициент\w* конверси\w+"),
    "aov": _words(r"aov|average (?:order )?value(?: of a conversion)?|средн\w+ (?:чек\w*|ценност\w+ конверси\w+)"),
    "conversions_value": _words(r"conversion values?|value of (?:the )?conversions?|revenue|ценност\w+ конверси\w+|выручк\w+|доход\w*"),
    "roas": _words(r"roas|return on ad spend|окупаемост\w+"),
    "ctr": _words(r"ctr|click-through rates?|кликабельност\w+"),
    "conversions": _words(r"conversions?|leads?|purchases|конверси\w+|лид\w{0,3}|заявк\w+|заявок|покуп\w+"),
    "clicks": _words(r"clicks?|клик\w{0,3}|переход\w{0,3}"),
    "impressions": _words(r"impressions?|показ(?:ы|ов|ам|ами|ах)"),
    "spend": _words(r"spend(?:ing|s)?|spent|costs?|budgets?|expenses?|расход\w{0,3}|затрат\w{0,3}|бюджет\w{0,3}|потра[тч]\w+"),
}
"""Metric → how people call it; longer names come first, so that `conversion rate` is not `conversions`."""

RU_LATIN = frozenset(
    {
        "ads",
        "analytics",
        "cpa",
        "cpc",
        "cpm",
        "ctr",
        "cvr",
        "facebook",
        "google",
        "instagram",
        "meta",
        "metrica",
        "performance",
        "max",
        "roas",
        "yandex",
        "youtube",
    }
)
"""Latin words that a Russian text may use outside names."""

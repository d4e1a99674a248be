"""Whatever is pulled, restated, aborted and swept, in whatever order: the current slices equal the newest dataset."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.builds import Builds
from warehouse.ledger import Ledger

NOON = datetime(2024, 4, 1, 12, tzinfo=UTC)
FIRST = date(2024, 3, 30)
POINTS = ("opened", "written", "rows_stored", "recorded")


@dataclass
class Pull:
    """A window and what the platform answers for it: per day the clicks of its ads; seen so many hours after noon."""

    since: int
    days: int
    answer: dict[int, dict[str, int]]
    hour: int
    die_at: str
    pages: int


@dataclass
class Truth:
    """The winner of every day, kept the simple way."""

    days: dict[int, tuple[tuple[int, int], dict[str, int]]] = field(default_factory=dict)

    def take(self, number: int, pull: Pull) -> None:
        for day in range(pull.since, pull.since + pull.days):
            won = ((pull.hour, number), pull.answer.get(day, {}))
            self.days[day] = max(self.days.get(day, won), won, key=lambda slice_: slice_[0])

    def rows(self) -> list[tuple[int, str, int]]:
        return sorted((day, ad, clicks) for day, (_, ads) in self.days.items() for ad, clicks in ads.items())


PULLS = st.builds(
    Pull,
    since=st.integers(0, 3),
    days=st.integers(1, 3),
    answer=st.dictionaries(st.integers(0, 5), st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3), max_size=6),
    hour=st.integers(0, 3),
    die_at=st.sampled_from(("", "", *POINTS)),
    pages=st.integers(1, 3),
)


def _pull(agency, ad, pull):
    def passing(point):
        if point == pull.die_at:
            raise KeyboardInterrupt

    rows = [ad(day + 29, name, clicks) for day in range(pull.since, pull.since + pull.days) for name, clicks in pull.answer.get(day, {}).items()]
    since, until = FIRST + timedelta(days=pull.since), FIRST + timedelta(days=pull.since + pull.days - 1)
    try:
        agency.pull(rows, since, until, NOON + timedelta(hours=pull.hour), pull.pages, Ledger(agency.warehouse, agency.home, passing=passing))
    except KeyboardInterrupt:
        return pull.die_at == "recorded"
    return True


def _current(agency):
    return [((row[0] - FIRST).days, row[1], row[3]) for row in agency.current()]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PULLS, min_size=1, max_size=5), st.data())
def test_current_slices_equal_the_dataset_and_builds_follow_them(agency, ad, pulls, data):
    agency.empty()
    truth, builds, published = Truth(), Builds(agency.warehouse, agency.home), []
    for number, pull in enumerate(pulls):
        if _pull(agency, ad, pull):
            truth.take(number, pull)
        if data.draw(st.booleans(), label="sweep"):
            agency.ledger.sweep()
        assert _current(agency) == truth.rows()
        if data.draw(st.booleans(), label="build"):
            before = dict(published)
            plan = builds.plan()
            after = {day: ads for day, (_, ads) in truth.days.items()}
            changed = {day for day in before.keys() | after.keys() if before.get(day) != after.get(day)}
            assert ({(FIRST + timedelta(days=day)).strftime("%Y%m") for day in changed}) == set(plan.partitions if plan else ())
            if plan is not None:
                assert plan.changed_slices == len(changed)
                builds.publish(plan, 1, 1, 0)
                published = list(after.items())
                pinned = agency.rows("SELECT day, ad_id, clicks FROM raw.raw_meta_ads__ad_daily__current ORDER BY day, ad_id")
                assert [((day - FIRST).days, name, clicks) for day, name, clicks in pinned] == truth.rows()


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PULLS, min_size=1, max_size=4))
def test_as_of_sees_what_was_known_then(agency, ad, pulls):
    agency.empty()
    truths = {hour: Truth() for hour in range(4)}
    for number, pull in enumerate(pulls):
        pull.die_at = ""
        _pull(agency, ad, pull)
        for hour, truth in truths.items():
            if pull.hour <= hour:
                truth.take(number, pull)
    for hour, truth in truths.items():
        assert [((row[0] - FIRST).days, row[1], row[3]) for row in agency.current(NOON + timedelta(hours=hour))] == truth.rows()

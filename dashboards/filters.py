"""The filters that all screens share. They live in the session and, at every moment, in the address: a copied link restores them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

import streamlit as st

from dashboards.language import LANGUAGES, Language
from platform_api.analytics.schemas import Dashboard
from platform_api.client import ApiClient
from platform_api.projects.schemas import Project

PERIODS = ("7", "14", "28", "90", "custom")
COMPARISONS = ("previous", "year", "none")
DEFAULT_PERIOD = "28"
WIDGETS = ("project", "period", "dates", "compare")


@dataclass(frozen=True)
class Filters:
    """What is looked at. `since` and `until` count with the period `custom` only; the drill is a path of ids."""

    project: str = ""
    period: str = DEFAULT_PERIOD
    since: str = ""
    until: str = ""
    compare: str = "previous"
    platform: str = ""
    account: str = ""
    campaign: str = ""
    ad_group: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """Return the query parameters that restore these filters, defaults included, empty ones left out."""
        return {name: value for name, value in asdict(self).items() if value}

    def dashboard(self, client: ApiClient) -> Dashboard:
        """Ask for the overview that these filters describe; it also says which dates a relative period means."""
        if self.period == "custom":
            return client.dashboard(self.project, since=date.fromisoformat(self.since), until=date.fromisoformat(self.until), compare=self.compare)
        return client.dashboard(self.project, days=int(self.period), compare=self.compare)


def read(parameters: Mapping[str, str]) -> Filters:
    """Read filters from query parameters; whatever does not fit falls back to its default."""
    found = Filters(**{name: parameters[name] for name in asdict(Filters()) if parameters.get(name)})
    if found.compare not in COMPARISONS:
        found = replace(found, compare="previous")
    if found.period not in PERIODS or (found.period == "custom" and not _window(found.since, found.until)):
        found = replace(found, period=DEFAULT_PERIOD)
    return found if found.period == "custom" else replace(found, since="", until="")


def current() -> Filters:
    """Return the session's filters; an address that a person changed (a link, Back) wins over them."""
    address = {name: value for name, value in st.query_params.to_dict().items() if name in asdict(Filters())}
    if "filters" not in st.session_state or (address and address != st.session_state.get("written")):
        if st.query_params.get("lang", "") in LANGUAGES:
            st.session_state["language"] = st.query_params["lang"]
        adopt(read(address))
    filters: Filters = st.session_state["filters"]
    return filters


def adopt(filters: Filters) -> None:
    """Take filters over, and let the widgets draw themselves anew from them."""
    st.session_state["filters"] = filters
    for name in WIDGETS:
        st.session_state.pop(f"filter-{name}", None)


def write(filters: Filters, language: Language) -> None:
    """Put the filters into the address."""
    st.session_state["written"] = filters.parameters
    wanted = {**filters.parameters, "lang": language.code}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def show(language: Language, projects: Sequence[Project]) -> Filters:
    """Draw the row of filters, keep the address in step, and return what is chosen."""
    filters = current()
    known = {project.id: project for project in projects}
    if filters.project not in known:
        filters = Filters(next(iter(known)), filters.period, filters.since, filters.until, filters.compare)
        st.session_state["filters"] = filters
    row = st.container(horizontal=True, vertical_alignment="bottom", key="filters")
    with row:
        _choice(language, "project", tuple(known), filters.project, lambda chosen: project_title(known[chosen]), 300)
        _choice(language, "period", PERIODS, filters.period, lambda chosen: language.say(f"period.{chosen}"), 150)
        if filters.period == "custom":
            _dates(language, filters)
        _choice(language, "compare", COMPARISONS, filters.compare, lambda chosen: language.say(f"compare.{chosen}"), 230)
    write(filters, language)
    return filters


def link(language: Language, filters: Filters, since: date, until: date) -> None:
    """Draw the button that shows a link with every value written out and the dates absolute."""
    fixed = replace(filters, period="custom", since=since.isoformat(), until=until.isoformat())
    address = (st.context.url or "").split("?")[0]
    with st.popover(language.say("link.copy"), icon=":material/link:"):
        st.caption(language.say("link.help"))
        st.code(f"{address}?{urlencode({**fixed.parameters, 'lang': language.code})}", language=None, wrap_lines=True)


def project_title(project: Project) -> str:
    """Name a project with its client."""
    return f"{project.client_name} · {project.name}" if project.client_name and project.client_name != project.name else project.name


def _choice(language: Language, name: str, options: Sequence[str], chosen: str, write_option: Callable[[str], str], width: int) -> None:
    st.selectbox(
        language.say(f"filter.{name}"),
        options,
        index=list(options).index(chosen),
        format_func=write_option,
        key=f"filter-{name}",
        on_change=_changed,
        args=(name,),
        width=width,
    )


def _dates(language: Language, filters: Filters) -> None:
    chosen = (date.fromisoformat(filters.since), date.fromisoformat(filters.until))
    st.date_input(
        language.say("filter.dates"),
        chosen,
        key="filter-dates",
        on_change=_changed,
        args=("dates",),
        format="DD.MM.YYYY" if language.code == "ru" else "YYYY-MM-DD",
        width=230,
    )


def _changed(name: str) -> None:
    """Carry a widget's new value into the filters; a half-chosen pair of dates waits for its other half."""
    filters: Filters = st.session_state["filters"]
    value = st.session_state[f"filter-{name}"]
    if name == "dates":
        if len(value) == 2:
            st.session_state["filters"] = replace(filters, since=value[0].isoformat(), until=value[1].isoformat())
        return
    changed = replace(filters, **{name: value})
    if name == "project":
        changed = Filters(value, filters.period, filters.since, filters.until, filters.compare)
    if name == "period" and value == "custom":
        since, until = st.session_state.get("window") or (date.today() - timedelta(days=30), date.today() - timedelta(days=1))  # noqa: DTZ011
        changed = replace(changed, since=since.isoformat(), until=until.isoformat())
    st.session_state["filters"] = changed


def _window(since: str, until: str) -> bool:
    try:
        return date.fromisoformat(since) <= date.fromisoformat(until)
    except ValueError:
        return False

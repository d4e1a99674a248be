"""The screens, run as Streamlit runs them, over the real API."""

from datetime import date

import pytest

from dashboards.language import Language
from platform_api.client import ApiClient


def _values(test):
    return {metric.value for metric in test.metric}


def _titles(test):
    return [title.value for title in test.title]


def test_nobody_sees_the_login_in_the_language_of_the_link(run_script):
    assert _titles(run_script(lang="ru")) == ["Вход в MRM"]
    assert _titles(run_script(lang="en")) == ["Log in to MRM"]


def test_a_wrong_password_is_told_and_a_right_one_opens_the_overview(run_script, agency):
    test = run_script(lang="en")
    test.text_input[0].set_value(agency.users["admin"])
    test.text_input[1].set_value("not the password")
    test.button[0].click().run()
    assert [e.value for e in test.error] == ["The e-mail or the password is wrong."]
    test.text_input[1].set_value("correct horse battery")
    test.button[0].click().run()
    assert _titles(test) == ["Overview"]


@pytest.mark.parametrize("code", ["ru", "en"])
def test_the_cards_print_what_the_api_answers(run_script, agency, site, code):
    test = run_script(agency.users["admin"], lang=code, project=agency.alpha, period="custom", since="2026-03-01", until="2026-03-28")
    assert not test.exception
    assert not test.error
    language = Language(code)
    with ApiClient(site) as client:
        client.login(agency.users["admin"], "correct horse battery")
        board = client.dashboard(agency.alpha, since=date(2026, 3, 1), until=date(2026, 3, 28))
    spend = next(kpi for kpi in board.kpis if kpi.metric == "spend")
    for value in spend.values:
        assert language.number(value.value, "money", value.currency).replace("$", r"\$").replace(".", r"\.") in {v.replace("\\,", ",") for v in _values(test)}
    assert len(test.metric) == 15
    assert dict(test.query_params) | {"lang": code} == dict(test.query_params)


def test_a_changed_filter_reaches_the_address(run_script, agency):
    test = run_script(agency.users["admin"], lang="ru", project=agency.alpha)
    test.selectbox(key="filter-period").set_value("7").run()
    assert test.query_params["period"] == "7"
    test.selectbox(key="filter-compare").set_value("none").run()
    assert test.query_params["compare"] == "none"
    assert not any(metric.delta for metric in test.metric)
    test.selectbox(key="filter-period").set_value("custom").run()
    assert (test.query_params["since"], test.query_params["until"]) == ("2026-03-24", "2026-03-30")
    assert not test.exception


def test_a_project_of_somebody_else_in_the_link_is_replaced_by_ones_own(run_script, agency):
    test = run_script(agency.users["guest"], lang="en", project=agency.beta)
    assert test.query_params["project"] == agency.alpha
    assert len(test.selectbox(key="filter-project").options) == 1


def test_a_project_without_data_says_what_to_do(run_script, agency, site):
    with ApiClient(site) as client:
        client.login(agency.users["admin"], "correct horse battery")
        empty = client.create_project("Nothing yet")
    test = run_script(agency.users["admin"], lang="ru", project=empty.id)
    assert not test.metric
    assert any("данных нет" in m.value for m in test.markdown)


def test_an_organization_without_projects_says_what_to_do(run_script, agency, site):
    test = run_script(agency.users["outsider"], lang="en", project="")
    assert not test.exception


def test_logging_out_leads_back_to_the_login(run_script, agency):
    test = run_script(agency.users["member"], lang="en")
    next(button for button in test.button if button.label == "Log out").click().run()
    assert _titles(test) == ["Log in to MRM"]


def test_a_session_that_the_server_ended_leads_back_to_the_login(run_script, agency):
    test = run_script(agency.users["member"], lang="en")
    client = test.session_state["client"]
    client.session = client.session.model_copy(update={"access_token": "stale", "refresh_token": "gone"})
    test.run()
    assert _titles(test) == ["Log in to MRM"]
    assert any("ended" in info.value for info in test.info)


def test_an_api_that_is_gone_is_a_clear_message(run_script, agency):
    test = run_script(agency.users["member"], lang="ru")
    client = test.session_state["client"]
    broken = ApiClient("http://127.0.0.1:9", session=client.session)
    test.session_state["client"] = broken
    test.run()
    assert not test.exception
    assert any("Сервер не отвечает" in error.value.replace("\\", "") for error in test.error)


def test_the_language_changes_everything_at_once(run_script, agency):
    test = run_script(agency.users["admin"], lang="ru", project=agency.alpha)
    test.segmented_control(key="language-choice").set_value("en").run()
    assert _titles(test) == ["Overview"]
    assert test.query_params["lang"] == "en"

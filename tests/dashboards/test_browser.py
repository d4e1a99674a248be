"""The dashboards in a real browser."""

import re

import pytest

pytestmark = pytest.mark.browser
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


class Reader:
    """A person in front of a browser window."""

    def __init__(self, browser, site, *, locale="ru-RU", width=1280, state=None):
        self.context = browser.new_context(locale=locale, viewport={"width": width, "height": 900}, storage_state=state)
        self.page = self.context.new_page()
        self.site = site
        self.failed = []
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))

    def open(self, path):
        self.page.goto(path if path.startswith("http") else f"{self.site}/app/{path}")
        return self

    def log_in(self, email):
        self.page.locator("input[type=password]").wait_for(timeout=60_000)
        self.page.wait_for_selector(IDLE, timeout=60_000)
        self.page.locator("input[type=text]").first.fill(email)
        self.page.locator("input[type=password]").fill("correct horse battery")
        self.page.keyboard.press("Enter")
        return self

    def wait(self, text):
        self.page.get_by_text(text, exact=True).first.wait_for(timeout=60_000)
        self.page.wait_for_selector(IDLE, timeout=60_000)
        return self

    def wait_for_address(self, pattern):
        self.page.wait_for_url(re.compile(pattern), timeout=60_000)
        return self

    def sees(self, text):
        self.page.wait_for_function("text => document.querySelector('[data-testid=stMain]').innerText.includes(text)", arg=text, timeout=60_000)
        return self

    def select_row(self, number):
        canvas = self.page.locator("[data-testid=stDataFrame] canvas").first
        canvas.wait_for(timeout=60_000)
        self.page.wait_for_selector(IDLE, timeout=60_000)
        box = canvas.bounding_box()
        self.page.mouse.click(box["x"] + 16, box["y"] + 17 + 33 * number)


@pytest.fixture
def reader(chromium, site):
    made = []

    def make(**options):
        made.append(Reader(chromium, site, **options))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


def test_a_reader_logs_in_drills_down_goes_back_and_shares_the_link(reader, agency):
    person = reader().open(f"campaigns?project={agency.alpha}&lang=ru").log_in(agency.users["admin"]).wait("Кампании")
    assert person.page.evaluate("document.documentElement.lang") == "ru"
    person.select_row(1)
    person.wait_for_address("campaign=1").wait("Весна | Brand *2026*")
    person.select_row(1)
    person.wait_for_address("ad_group=11").wait("Group 11")
    person.sees("1\u00a0010,80\u00a0$")
    link = person.page.url
    person.page.go_back()
    person.wait_for_address("campaign=1(?!.*ad_group)").wait("Весна | Brand *2026*")
    person.sees("1\u00a0909,60\u00a0$")
    other = reader(locale="en-US").open(link).log_in(agency.users["guest"]).wait("Group 11")
    other.sees("1\u00a0010,80\u00a0$")
    assert person.failed == other.failed == []


def test_a_reload_keeps_the_login_and_the_filters(reader, agency):
    person = reader().open(f"?project={agency.alpha}&period=7&lang=en").log_in(agency.users["admin"]).wait("Overview")
    person.page.reload()
    person.wait("Overview")
    assert "period=7" in person.page.url
    person.sees("Mar 24, 2026 – Mar 30, 2026")
    cookies = {cookie["name"]: cookie for cookie in person.context.cookies()}
    assert cookies["mrm_dashboards"]["httpOnly"]
    assert cookies["mrm_dashboards"]["sameSite"] == "Strict"


def test_the_report_stands_in_the_page(reader, agency, site):
    from platform_api.client import ApiClient

    with ApiClient(site) as client:
        client.login(agency.users["admin"], "correct horse battery")
        client.write_report(agency.alpha, language="ru")
    person = reader().open(f"report?project={agency.alpha}&lang=ru").log_in(agency.users["admin"]).wait("Отчёт")
    frame = person.page.frame_locator("[data-testid=stMain] iframe").first
    frame.get_by_role("heading").first.wait_for(timeout=60_000)
    assert "Alpha" in frame.locator("body").inner_text()


def test_a_phone_shows_the_overview_without_a_sideways_scroll(reader, agency):
    person = reader(width=390).open(f"?project={agency.alpha}&lang=ru").log_in(agency.users["admin"]).wait("Динамика")
    assert person.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert person.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390


def test_the_bare_addresses_lead_to_the_overview(reader, agency, site):
    for address in (site, f"{site}/app", f"{site}/app/"):
        person = reader().open(f"{address}?lang=ru")
        person.wait_for_address("/app/overview").wait("Вход в MRM")

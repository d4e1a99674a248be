"""The demo agency: an organization, its administrator, projects by client, and integrations that point to the sandbox."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.catalogue import Account
from home.directory import Home
from services.actors import Actor, Role
from services.assignments import assign_account, list_assignments
from services.integrations import connect_integration, list_integrations, register_accounts, renew_integration
from services.organizations import create_organization, create_user
from services.passwords import hash_password, verify_password
from services.projects import create_project, list_projects
from store.database import Store
from store.people import People
from store.records import Integration, Organization, Project, User

ORGANIZATION = "Demo agency"
EMAIL = "demo@mrm.local"
LONE_PROJECT = "Dataset"
BEGINNING = date(2000, 1, 1)
"""The demo's accounts have always belonged to their client."""
_TITLES = {
    "google_ads": "Google Ads sandbox",
    "meta_ads": "Meta Ads sandbox",
    "yandex_direct": "Yandex.Direct sandbox",
    "ga4": "GA4 sandbox",
    "yandex_metrica": "Yandex Metrica sandbox",
}
_CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "google_ads": {"developer_token": "sandbox-developer-tokn", "access_token": "sandbox"},
    "meta_ads": {"access_token": "sandbox"},
    "yandex_direct": {"token": "sandbox"},
    "ga4": {"access_token": "sandbox"},
    "yandex_metrica": {"token": "sandbox"},
}


@dataclass(frozen=True)
class DemoAgency:
    """What the demo works with; `actor` is its administrator."""

    organization: Organization
    actor: Actor
    email: str
    password: str
    projects: list[Project]
    integrations: list[Integration]


def seed_demo(store: Store, home: Home, sandbox: Mapping[str, Any]) -> DemoAgency:
    """Make the demo agency for a running sandbox, or bring it in step with one that was restarted or loaded anew.

    `sandbox` is the sandbox's state file. A second call with the same state changes nothing. The password is generated once and
    remembered by the home as `demo_email` and `demo_password`.
    """
    user, password = _administrator(store, home)
    with store.system() as transaction:
        organization = People(transaction).organization("demo-agency")
    organization = organization or create_organization(store, ORGANIZATION, user.id, "demo-agency")
    actor = Actor(user.id, organization.id, Role.ADMIN)
    accounts = sandbox["dataset"]["accounts"]
    integrations = [
        _integration(store, actor, platform, sandbox[platform], accounts) for platform in _TITLES if any(a["platform"] == platform for a in accounts)
    ]
    projects = _projects(store, actor, accounts)
    _assign(store, actor, accounts, projects)
    return DemoAgency(organization, actor, EMAIL, password, list(projects.values()), integrations)


def ensure_organization(store: Store, home: Home, name: str = "My agency") -> Organization:
    """Return the installation's first organization; a home that has none gets one, with a person whose login the home remembers."""
    with store.system() as transaction:
        known = People(transaction).organizations()
    if known:
        return known[0]
    user, _ = _administrator(store, home)
    return create_organization(store, name, user.id)


def demo_login(home: Home) -> tuple[str, str] | None:
    """Return the demo's e-mail address and password as the home remembers them."""
    settings = home.settings
    return (settings["demo_email"], settings["demo_password"]) if "demo_password" in settings else None


def _administrator(store: Store, home: Home) -> tuple[User, str]:
    """Find or make the demo's person; a password that the home does not know (any more) is replaced."""
    login = demo_login(home)
    password = login[1] if login else secrets.token_urlsafe(9)
    with store.system() as transaction:
        found = People(transaction).user_with_password(EMAIL)
    if found is None:
        user = create_user(store, EMAIL, password, "Demo")
    else:
        user = found[0]
        if login is None or not verify_password(password, found[1])[0]:
            with store.system() as transaction:
                People(transaction).set_password(user.id, hash_password(password))
    if login is None:
        home.remember(demo_email=EMAIL, demo_password=password)
    return user, password


def _integration(store: Store, actor: Actor, platform: str, endpoint: Mapping[str, str], accounts: Sequence[Mapping[str, str]]) -> Integration:
    """Connect a platform of the sandbox, or point its integration to the sandbox's present address."""
    settings = {name: str(value) for name, value in endpoint.items()}
    known = [i for i in list_integrations(store, actor, platform=platform) if i.name == _TITLES[platform]]
    if not known:
        integration = connect_integration(store, actor, platform=platform, name=_TITLES[platform], credentials=_CREDENTIALS[platform], settings=settings)
    elif dict(known[0].settings) == settings:
        integration = known[0]
    else:
        integration = renew_integration(store, actor, known[0].id, settings=settings)
    named = [Account(platform, a["account_id"], a["name"], a["currency"], a["timezone"]) for a in accounts if a["platform"] == platform]
    register_accounts(store, actor, integration.id, named)
    return integration


def _projects(store: Store, actor: Actor, accounts: Sequence[Mapping[str, str]]) -> dict[str, Project]:
    """Return a project for each client, made where absent; accounts without a client share one project."""
    known = {project.name: project for project in list_projects(store, actor)}
    wanted = sorted({account.get("client") or LONE_PROJECT for account in accounts})
    return {name: known.get(name) or create_project(store, actor, name=name, client_name=name) for name in wanted}


def _assign(store: Store, actor: Actor, accounts: Sequence[Mapping[str, str]], projects: Mapping[str, Project]) -> None:
    """Assign each account that is in no project to its client's."""
    assigned = {(a.platform, a.account_id) for a in list_assignments(store, actor)}
    for account in accounts:
        if (account["platform"], account["account_id"]) not in assigned and account["platform"] in _TITLES:
            project = projects[account.get("client") or LONE_PROJECT]
            assign_account(store, actor, project_id=project.id, platform=account["platform"], account_id=account["account_id"], since=BEGINNING)

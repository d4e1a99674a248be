"""`./run connect`: a real account's credential becomes an integration, checked before it is kept."""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import ConfigurationError, UnknownName, UsageError
from mrm.options import DEFAULT_HOME, HomeOption

if TYPE_CHECKING:
    from services.installation import Installation

BEGINNING = date(2000, 1, 1)


def connect(
    platform: Annotated[str, typer.Argument(help="google_ads, meta_ads, yandex_direct or ga4.")],
    credentials: Annotated[Path, typer.Option("--credentials", help="A JSON file; its keys stand in docs/connectors/<platform>.md.")],
    name: Annotated[str, typer.Option("--name", help="What people call this integration.")],
    setting: Annotated[list[str] | None, typer.Option("--setting", help="key=value, e.g. login_customer_id=1234567890 (repeatable).")] = None,
    project: Annotated[str, typer.Option("--project", help="Assign its accounts to this project, made where it is new. Default: the name.")] = "",
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Connect an ad platform: check the credential, list its accounts, store it encrypted, assign the accounts to a project.

    The same name again renews the credential. Refused when the credential does not work, or when another integration owns one
    of its accounts (the setting skip_accounts leaves accounts out, by comma).

    Example: ./run connect meta_ads --name "Client" --credentials meta.json
    """
    from connectors.registry import REPORTS
    from services.installation import Installation
    from services.integrations import IntegrationAccess, connect_integration, list_integrations, register_accounts, renew_integration
    from services.syncing import check

    if platform not in REPORTS:
        raise UnknownName("platform", platform, REPORTS)
    settings = dict(_setting(text) for text in setting or [])
    secrets = _read(credentials)
    with Installation.open(home) as installation:
        found = check(IntegrationAccess("", "", platform, secrets, settings), installation.clock)
        if not found.works:
            raise ConfigurationError(f"The {platform} credential does not work", why=found.message, fix="Correct the file and connect again")
        installation.ensure_organization()
        store, actor = installation.store, installation.actor
        skipped = {part.strip() for part in settings.get("skip_accounts", "").split(",")}
        accounts = [a for a in found.accounts if a.account_id not in skipped]
        known = next((i for i in list_integrations(store, actor, platform=platform) if i.name == name), None)
        if known is None:
            made = connect_integration(store, actor, platform=platform, name=name, credentials=secrets, settings=settings, accounts=accounts)
        else:
            register_accounts(store, actor, known.id, accounts)
            made = renew_integration(store, actor, known.id, credentials=secrets, settings={**known.settings, **settings})
        _assign(installation, project or name, [(a.platform, a.account_id) for a in accounts])
    typer.echo(found.message)
    for account in accounts:
        typer.echo(f"  {account.account_id}  {account.name}  {account.currency}  {account.timezone}")
    typer.echo(f"Connected as {made.id}. Pull it now with ./run sync --integration {made.id}")


def _assign(installation: "Installation", project: str, accounts: list[tuple[str, str]]) -> None:
    """Assign the accounts that are in no project yet to one, from the beginning of their history."""
    from services.assignments import assign_account, list_assignments
    from services.projects import create_project

    store, actor = installation.store, installation.actor
    known = next((p for p in installation.projects() if p.name == project), None)
    target = known or create_project(store, actor, name=project, client_name=project)
    assigned = {(a.platform, a.account_id) for a in list_assignments(store, actor)}
    for platform, account_id in accounts:
        if (platform, account_id) not in assigned:
            assign_account(store, actor, project_id=target.id, platform=platform, account_id=account_id, since=BEGINNING)


def _read(path: Path) -> dict[str, str]:
    try:
        loaded = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON", why=str(error), fix='Write an object such as {"access_token": "…"}') from error
    if not isinstance(loaded, dict):
        raise UsageError(f"{path} holds no JSON object", fix='Write an object such as {"access_token": "…"}')
    return {str(k): str(v) for k, v in loaded.items()}


def _setting(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found or not key:
        raise UsageError(f"The setting {text!r} cannot be read", fix="Write key=value")
    return key, value

"""`./run connect`: consent, or a credential that is there, becomes an integration, checked before it is kept."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import ConfigurationError, UnknownName, UsageError
from mrm.consenting import application, consented, read_object
from mrm.naming import one
from mrm.options import DEFAULT_HOME, HomeOption, existing

if TYPE_CHECKING:
    from domain.catalogue import Account
    from services.installation import Installation

BEGINNING = date(2000, 1, 1)


def connect(
    platform: Annotated[str, typer.Argument(help="google_ads, meta_ads, yandex_direct, ga4 or yandex_metrica.")],
    name: Annotated[str, typer.Option("--name", help="What people call this integration.")],
    credentials: Annotated[
        Path | None,
        typer.Option("--credentials", help="A JSON file with a token that you have; keys: docs/connectors/<platform>.md. Without it: consent."),
    ] = None,
    app: Annotated[
        Path | None, typer.Option("--app", help="The OAuth application for consent: JSON with client_id and client_secret (Google's own download too).")
    ] = None,
    client_id: Annotated[str, typer.Option("--client-id", envvar="MRM_OAUTH_CLIENT_ID", help="The application's id, instead of --app.")] = "",
    client_secret: Annotated[str, typer.Option("--client-secret", envvar="MRM_OAUTH_CLIENT_SECRET", help="Its secret; better in the variable.")] = "",
    paste: Annotated[bool, typer.Option("--paste", help="Paste the code instead of waiting for the browser on loopback.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the loopback redirect; 0: any free one, as Google allows.")] = 0,
    setting: Annotated[list[str] | None, typer.Option("--setting", help="key=value, e.g. login_customer_id=1234567890 (repeatable).")] = None,
    project: Annotated[str, typer.Option("--project", help="Assign its accounts to this project, made where it is new. Default: the name.")] = "",
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Connect a platform: ask for consent (or take a credential), list its accounts, store it encrypted, assign the accounts to a project.

    The same name again renews the credential. Refused when the credential does not work, or when another integration owns one
    of its accounts (the setting skip_accounts leaves accounts out, by comma).

    Examples:
      ./run connect google_ads --name "Client" --app client_secret.json
      ./run connect yandex_direct --name "Client" --app yandex.json --paste
      ./run connect meta_ads --name "Client" --credentials meta.json
    """
    from connectors.registry import REPORTS
    from services.installation import Installation

    if platform not in REPORTS:
        raise UnknownName("platform", platform, REPORTS)
    settings = dict(_setting(text) for text in setting or [])
    missing: tuple[str, ...] = ()
    with Installation.open(home) as installation:
        if credentials is not None:
            secrets = {str(k): str(v) for k, v in read_object(credentials).items()}
        else:
            from connectors.consent import flow_of

            grant = consented(flow_of(platform), application(app, client_id, client_secret), settings, installation.clock.now(), paste=paste, port=port)
            secrets, missing = dict(grant.credentials), grant.missing_scopes
        found = _connected(installation, platform, name, secrets, settings, project, missing)
    typer.echo(found)


def _connected(
    installation: "Installation", platform: str, name: str, secrets: dict[str, str], settings: dict[str, str], project: str, missing: Sequence[str]
) -> str:
    """Check the credential, keep it and its accounts; return what to tell the person. Raises ConfigurationError for one that does not work."""
    from services.integrations import IntegrationAccess
    from services.renewing import fresh
    from services.syncing import check

    access = fresh(IntegrationAccess("", "", platform, secrets, settings), installation.clock)
    found = check(access, installation.clock)
    lacking = sorted({*missing, *found.missing_scopes})
    if not found.works or missing:
        scopes = f"; missing scopes: {', '.join(lacking)}" if lacking else ""
        raise ConfigurationError(
            f"The {platform} credential does not work",
            why=f"{found.message}{scopes}",
            fix="Connect again and grant every scope that is asked, correct the file, or wait until the platform answers",
        )
    skipped = {part.strip() for part in settings.get("skip_accounts", "").split(",")}
    accounts = [a for a in found.accounts if a.account_id not in skipped]
    made = _kept(installation, platform, name, access.credentials, settings, accounts)
    assign(installation, project or name, [(a.platform, a.account_id) for a in accounts])
    return "\n".join(
        [
            found.message,
            *(f"  {a.account_id}  {a.name}  {a.currency}  {a.timezone}" for a in accounts),
            f"Missing scopes: {', '.join(lacking)}" if lacking else "No scope is missing.",
            f"Connected as {made}. Pull it now with ./run sync --integration {made}",
        ]
    )


def _kept(installation: "Installation", platform: str, name: str, credentials: Mapping[str, str], settings: dict[str, str], accounts: "list[Account]") -> str:
    """Seal the credential under its name, as the owner of the accounts; return the integration's id."""
    from services.integrations import connect_integration, list_integrations, register_accounts, renew_integration

    installation.ensure_organization()
    store, actor = installation.store, installation.actor
    known = next((i for i in list_integrations(store, actor, platform=platform) if i.name == name), None)
    if known is None:
        return connect_integration(store, actor, platform=platform, name=name, credentials=credentials, settings=settings, accounts=accounts).id
    register_accounts(store, actor, known.id, accounts)
    return renew_integration(store, actor, known.id, credentials=credentials, settings={**known.settings, **settings}).id


def disconnect(
    integration: Annotated[str, typer.Argument(help="Its name or id, as ./run integrations list shows them.")],
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Stop pulling an integration and erase its credential. What was pulled stays, and so do its reports.

    Its accounts stay its own: to pull them again, connect under the same name. ./run integrations pause only stops pulling.

    Example: ./run disconnect "Client"
    """
    from services.installation import Installation
    from services.integrations import stop_integration

    with Installation.open(existing(home).path) as installation:
        changed = stop_integration(installation.store, installation.actor, one(installation.integration_states(), integration).id, disconnect=True)
    typer.echo(f"{changed.platform} {changed.name}: {changed.status}")


def assign(installation: "Installation", project: str, accounts: list[tuple[str, str]]) -> None:
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


def _setting(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found or not key:
        raise UsageError(f"The setting {text!r} cannot be read", fix="Write key=value")
    return key, value

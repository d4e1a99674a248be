"""Organizations, people and their memberships. Logins look over all organizations, so they take a system transaction."""

from sqlalchemy import Text, cast, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from domain.errors import Conflict
from store.database import Transaction
from store.records import Member, Organization, User, columns, read, read_all
from store.tables import audit_log, organization_members, organizations, project_members, users


class People:
    """People and organizations across the installation; takes a system transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add_organization(self, name: str, slug: str) -> Organization:
        """Add an organization; raises Conflict for a taken slug."""
        statement = insert(organizations).values(name=name, slug=slug).returning(*columns(organizations, Organization))
        try:
            return read(Organization, self._transaction.execute(statement).one())
        except IntegrityError as error:
            raise Conflict(f"The short name {slug!r} is taken", fix="Choose another one") from error

    def organization(self, slug: str) -> Organization | None:
        """Find an organization by its short name."""
        row = self._transaction.execute(select(*columns(organizations, Organization)).where(organizations.c.slug == slug)).one_or_none()
        return read(Organization, row) if row else None

    def organizations(self) -> list[Organization]:
        """List all organizations, oldest first."""
        rows = self._transaction.execute(select(*columns(organizations, Organization)).order_by(organizations.c.created_at, organizations.c.id)).all()
        return read_all(Organization, rows)

    def add_user(self, email: str, password_hash: str | None, name: str | None) -> User:
        """Add a person; raises Conflict for an e-mail address that is known, in whatever case."""
        statement = insert(users).values(email=email, password_hash=password_hash, name=name).returning(*columns(users, User))
        try:
            return read(User, self._transaction.execute(statement).one())
        except IntegrityError as error:
            raise Conflict(f"{email} is registered already", fix="Log in, or use another address") from error

    def user_with_password(self, email: str) -> tuple[User, str | None] | None:
        """Find a person and the password's hash by e-mail address, in whatever case."""
        statement = select(*columns(users, User), users.c.password_hash).where(func.lower(users.c.email) == func.lower(email))
        row = self._transaction.execute(statement).one_or_none()
        return (User(*row[:-1]), row[-1]) if row else None

    def user(self, user_id: str) -> User | None:
        """Find a person by id."""
        row = self._transaction.execute(select(*columns(users, User)).where(users.c.id == user_id)).one_or_none()
        return read(User, row) if row else None

    def set_password(self, user_id: str, password_hash: str) -> None:
        """Replace a password's hash."""
        self._transaction.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash, updated_at=func.now()))

    def logged_in(self, user_id: str) -> None:
        """Remember the moment of a login."""
        self._transaction.execute(update(users).where(users.c.id == user_id).values(last_login_at=func.now()))

    def memberships(self, user_id: str) -> list[Member]:
        """List the organizations that a person belongs to, first joined first."""
        members = organization_members
        statement = select(*columns(members, Member)).where(members.c.user_id == user_id).order_by(members.c.joined_at, members.c.id)
        return read_all(Member, self._transaction.execute(statement).all())

    def project_roles(self, organization_id: str, user_id: str) -> dict[str, str]:
        """Return a person's roles by project within an organization."""
        members = project_members
        statement = select(members.c.project_id, members.c.role).where(members.c.organization_id == organization_id, members.c.user_id == user_id)
        return {row.project_id: row.role for row in self._transaction.execute(statement)}


class Team:
    """The members of one organization."""

    def __init__(self, transaction: Transaction, organization_id: str) -> None:
        self._transaction = transaction
        self._organization_id = organization_id

    def organization(self) -> Organization | None:
        """Return the organization itself."""
        statement = select(*columns(organizations, Organization)).where(organizations.c.id == self._organization_id)
        row = self._transaction.execute(statement).one_or_none()
        return read(Organization, row) if row else None

    def setting(self, name: str) -> str:
        """Return a setting of the organization, empty where it is not set."""
        statement = select(organizations.c.settings[name].astext).where(organizations.c.id == self._organization_id)
        return self._transaction.execute(statement).scalar_one_or_none() or ""

    def set_setting(self, name: str, value: str) -> None:
        """Set a setting of the organization."""
        merged = organizations.c.settings.op("||")(func.jsonb_build_object(name, cast(value, Text)))
        self._transaction.execute(update(organizations).where(organizations.c.id == self._organization_id).values(settings=merged, updated_at=func.now()))

    def add(self, user_id: str, role: str, invited_by: str | None) -> Member:
        """Add a person; raises Conflict for one who is in already."""
        values = {"organization_id": self._organization_id, "user_id": user_id, "role": role, "invited_by": invited_by}
        try:
            row = self._transaction.execute(insert(organization_members).values(values).returning(*columns(organization_members, Member))).one()
        except IntegrityError as error:
            raise Conflict("This person is a member already", fix="Change the role instead") from error
        return read(Member, row)

    def members(self) -> list[tuple[Member, str, str | None]]:
        """List members with e-mail address and name, first joined first."""
        members = organization_members
        statement = (
            select(*columns(members, Member), users.c.email, users.c.name)
            .join(users, users.c.id == members.c.user_id)
            .where(members.c.organization_id == self._organization_id)
            .order_by(members.c.joined_at, members.c.id)
        )
        return [(Member(*row[:-2]), row[-2], row[-1]) for row in self._transaction.execute(statement)]

    def record(self, user_id: str | None, action: str, subject: str, **details: str) -> None:
        """Write a line of the audit log, which nobody can change."""
        values = {"organization_id": self._organization_id, "user_id": user_id, "action": action, "subject": subject, "details": details}
        self._transaction.execute(insert(audit_log).values(values))

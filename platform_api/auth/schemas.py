"""What logging in takes and gives."""

from pydantic import BaseModel, ConfigDict, Field


class LoginRequest(BaseModel):
    """An e-mail address and its password."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    email: str = Field(min_length=3, max_length=320, examples=["demo@example.com"])
    password: str = Field(min_length=1, max_length=128, examples=["correct horse battery"])


class RefreshRequest(BaseModel):
    """A refresh token, for clients that keep no cookies."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    refresh_token: str | None = Field(default=None, max_length=512)


class Session(BaseModel):
    """A fresh pair of tokens. The refresh token is good once: using it gives the next pair."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    expires_in: int
    """Seconds until the access token ends."""
    refresh_token: str


class Me(BaseModel):
    """Who is logged in, in which organization, and what they may do there."""

    user_id: str
    email: str
    name: str
    organization_id: str
    organization_name: str
    role: str
    permissions: list[str]

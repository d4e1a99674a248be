"""Access tokens: short-lived EdDSA JWTs. They name the person and the organization; the role is read per request."""

import hashlib
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.errors import ConfigurationError
from platform_api.problems import unauthenticated

ISSUER = "mrm"
AUDIENCE = "mrm-api"
_REQUIRED = ["exp", "iat", "aud", "iss", "sub", "jti"]


@dataclass(frozen=True)
class Claims:
    """Who a good access token speaks for."""

    user_id: str
    organization_id: str


class AccessTokens:
    """Sign and check access tokens with one Ed25519 key; its fingerprint is the `kid`."""

    def __init__(self, key: Ed25519PrivateKey, lifetime: timedelta, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._key = key
        self._public = key.public_key()
        raw = self._public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self._kid = hashlib.sha256(raw).hexdigest()[:16]
        self._now = now
        self.lifetime = lifetime

    def issue(self, user_id: str, organization_id: str) -> str:
        """Sign a token for a person in an organization."""
        now = self._now()
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": user_id, "org": organization_id, "jti": uuid.uuid4().hex, "iat": now, "exp": now + self.lifetime}
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._kid, "typ": "at+jwt"})

    def read(self, token: str) -> Claims:
        """Check the signature, times, issuer and audience; raise AuthenticationRequired alike for whatever is wrong."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("kid") != self._kid or header.get("typ") != "at+jwt":
                raise unauthenticated()
            claims = jwt.decode(token, self._public, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER, options={"require": _REQUIRED})
            return Claims(user_id=str(claims["sub"]), organization_id=str(claims["org"]))
        except (jwt.InvalidTokenError, KeyError, ValueError) as error:
            raise unauthenticated() from error


def load_key(pem: str | None, path: Path) -> Ed25519PrivateKey:
    """Return the signing key: the given PEM, or the one in `path`, made there (mode 0600) on first use.

    Raises ConfigurationError for anything but an Ed25519 private key.
    """
    if pem is None:
        pem = _kept(path)
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            "The key that signs access tokens cannot be read", why=str(error), fix="Set MRM_API_SIGNING_KEY to an Ed25519 key in PEM"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError("The key that signs access tokens is no Ed25519 key", fix="Make one: openssl genpkey -algorithm ed25519")
    return key


def _kept(path: Path) -> str:
    """Read the kept key; several processes that start at once agree on the first one written."""
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return path.read_text()

"""The channels: e-mail by SMTP, Slack's incoming webhooks, Telegram's bot API, and signed webhooks (standardwebhooks.com)."""

import hashlib
import ipaddress
import json
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

import httpx
from standardwebhooks.webhooks import Webhook

from delivery.settings import DeliverySettings
from domain.alerts import ChannelKind, Message
from domain.errors import MrmError, UsageError

TELEGRAM_LIMIT = 4096
LONGEST_PAUSE = 86400.0
"""The most seconds that a receiver's own pause may hold a message back."""

INSIDE = "The channel's URL leads to a private address"
OUTSIDE = "Use a public one, or set MRM_DELIVERY_PRIVATE_ADDRESSES=1 for every process: a closed network's own receivers are then reached"


class DeliveryFailed(MrmError):
    """A message could not be handed over; `retry_after` is the receiver's own pause in seconds, None: ours. `final`: never again."""

    exit_code = 5
    status = 502

    def __init__(self, what: str, *, why: str = "", fix: str = "", retry_after: float | None = None, final: bool = False) -> None:
        super().__init__(what, why=why, fix=fix)
        self.retry_after, self.final = retry_after, final


class Channels:
    """Send a message through a channel; every call has a timeout, and no secret stands in an error."""

    def __init__(self, settings: DeliverySettings, http: httpx.Client | None = None) -> None:
        self._settings = settings
        self._http = http or httpx.Client(timeout=settings.timeout_seconds, follow_redirects=False)
        self._ways: Mapping[ChannelKind, Callable[[str, Message], None]] = {
            ChannelKind.EMAIL: self._email,
            ChannelKind.SLACK: self._slack,
            ChannelKind.TELEGRAM: self._telegram,
            ChannelKind.WEBHOOK: self._webhook,
        }

    def send(self, kind: ChannelKind, target: str, message: Message) -> None:
        """Hand a message over. Raises DeliveryFailed, final for a target from which no address, URL or secret can be read."""
        try:
            self._ways[kind](target, message)
        except (ValueError, httpx.InvalidURL) as error:
            raise DeliveryFailed("The channel's target cannot be used", why=type(error).__name__, fix="Add the channel again", final=True) from None

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def _email(self, target: str, message: Message) -> None:
        """Send to one address; the Message-ID is made of the key, so that a mailbox shows a repeated one once."""
        if self._settings.smtp_url is None:
            raise DeliveryFailed("No mail server is set", fix="Set MRM_DELIVERY_SMTP_URL", final=True)
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._settings.sender, target, " ".join(message.title.split())
        mail["Date"] = formatdate()
        domain = make_msgid().rpartition("@")[2].rstrip(">")
        mail["Message-ID"] = f"<{hashlib.sha256(message.key.encode()).hexdigest()[:32]}@{domain}>"
        mail.set_content(message.text or message.title)
        try:
            with self._smtp() as server:
                self._enter(server)
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise DeliveryFailed("The mail server refused the address", why=str(code), fix="Correct the channel's address", final=code >= 500) from None
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryFailed("The mail server refused the login", why=str(error.smtp_code), fix="Correct MRM_DELIVERY_SMTP_URL") from None
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryFailed("The mail could not be sent", why=type(error).__name__, fix="Check MRM_DELIVERY_SMTP_URL") from error
        except ValueError as error:  # the target was read above: it is the URL's host, port or login
            raise DeliveryFailed("The mail server's URL cannot be read", why=type(error).__name__, fix="Correct MRM_DELIVERY_SMTP_URL") from None

    def _smtp(self) -> smtplib.SMTP:
        url = urlsplit(self._settings.smtp_url.get_secret_value() if self._settings.smtp_url else "")
        host, timeout = url.hostname or "localhost", self._settings.timeout_seconds
        if url.scheme == "smtps":
            return smtplib.SMTP_SSL(host, url.port or 465, timeout=timeout, context=ssl.create_default_context())
        return smtplib.SMTP(host, url.port or 587, timeout=timeout)

    def _enter(self, server: smtplib.SMTP) -> None:
        """Encrypt where the server offers it, and log in where the URL names a user; what a URL cannot hold is percent-encoded in it."""
        url = urlsplit(self._settings.smtp_url.get_secret_value() if self._settings.smtp_url else "")
        server.ehlo()
        if url.scheme != "smtps" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))

    def _slack(self, target: str, message: Message) -> None:
        """Post to an incoming webhook; the text is escaped as Slack's mrkdwn asks."""
        text = f"*{_mrkdwn(message.title)}*\n{_mrkdwn(message.text)}"
        self._post("Slack", self._checked(target), {"text": text})

    def _telegram(self, target: str, message: Message) -> None:
        """Send to a chat; `target` is token/chat. Plain text: nothing in it is markup."""
        token, found, chat = target.rpartition("/")
        if not found:
            raise DeliveryFailed("The Telegram target is not token/chat", fix="Add the channel again", final=True)
        text = f"{message.title}\n{message.text}"[:TELEGRAM_LIMIT]
        self._post("Telegram", f"{self._settings.telegram_url}/bot{token}/sendMessage", {"chat_id": chat, "text": text})

    def _webhook(self, target: str, message: Message) -> None:
        """Post JSON signed by the Standard Webhooks scheme; `target` is `URL secret`, the secret base64 after `whsec_`."""
        url, _, secret = target.partition(" ")
        body = json.dumps({"type": "alert", "title": message.title, "text": message.text}, ensure_ascii=False, separators=(",", ":"))
        now = datetime.now(UTC)
        headers = {"webhook-id": message.key, "webhook-timestamp": str(int(now.timestamp())), "content-type": "application/json"}
        if secret:
            headers["webhook-signature"] = Webhook(secret).sign(message.key, now, body)
        self._answered("The webhook", lambda: self._http.post(self._checked(url), content=body, headers=headers))

    def _post(self, who: str, url: str, body: Mapping[str, str]) -> None:
        self._answered(who, lambda: self._http.post(url, json=dict(body)))

    def _answered(self, who: str, post: Callable[[], httpx.Response]) -> None:
        try:
            answer = post()
        except httpx.HTTPError as error:
            raise DeliveryFailed(f"{who} did not answer", why=type(error).__name__, fix="It is tried again") from None
        if answer.is_success:
            return
        final = answer.status_code in (301, 302, 307, 308, 400, 401, 403, 404, 410)
        why = f"HTTP {answer.status_code}: {answer.text[:200]}"
        raise DeliveryFailed(f"{who} refused the message", why=why, fix="Correct the channel", retry_after=_pause_of(answer), final=final)

    def _checked(self, url: str) -> str:
        """Return a URL that leads to a public address; raises DeliveryFailed for anything else (server-side request forgery)."""
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.port == 0:
            raise DeliveryFailed("The channel's URL is not http(s)", fix="Add the channel again", final=True)
        if self._settings.private_addresses:
            return url
        try:
            inside = _leads_inside(url)
        except OSError as error:
            raise DeliveryFailed("The channel's host is unknown", why=str(error), fix="Correct the channel") from None
        if inside:
            raise DeliveryFailed(INSIDE, fix=OUTSIDE, final=True)
        return url


def read_target(kind: str, text: str, settings: DeliverySettings) -> str:
    """Return a channel's target as it is stored. Raises UsageError where it cannot be right, or is a private address that is not reached."""
    wanted = {
        ChannelKind.EMAIL: ("@" in text and " " not in text.strip(), "an address such as team@example.com"),
        ChannelKind.SLACK: (text.startswith(("https://", "http://")), "Slack's incoming webhook URL"),
        ChannelKind.TELEGRAM: ("/" in text and ":" in text, "token/chat, e.g. 123:ABC/-100200300"),
        ChannelKind.WEBHOOK: (text.startswith(("https://", "http://")), "a URL, and after a blank its secret whsec_…"),
    }
    good, example = wanted[ChannelKind(kind)]
    if not good or not _readable(kind, text.strip()):
        raise UsageError(f"This is no target of {kind}", fix=f"Write {example}")
    if kind in (ChannelKind.SLACK, ChannelKind.WEBHOOK) and not settings.private_addresses:
        with suppress(OSError):  # a host that nobody knows now may be known when a message goes out
            if _leads_inside(text.split()[0]):
                raise UsageError(INSIDE, why="Every message to it would be refused", fix=OUTSIDE)
    return text.strip()


def _leads_inside(url: str) -> bool:
    """Tell whether a URL's host has an address that is not public. Raises OSError where it has none."""
    parts = urlsplit(url)
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)}
    except UnicodeError as error:
        raise OSError(f"{parts.hostname} can be no host: {error}") from None
    return any(not ipaddress.ip_address(a).is_global for a in addresses)


def _readable(kind: str, target: str) -> bool:
    """Tell whether the parts of a target are what they seem: one word, a URL with a host, a secret in base64."""
    first, *more = target.split()
    if len(more) > (kind == ChannelKind.WEBHOOK) or "whsec_" in more:
        return False
    if kind not in (ChannelKind.SLACK, ChannelKind.WEBHOOK):
        return True
    try:
        httpx.URL(first)
        if more:
            Webhook(more[0])
        return bool(urlsplit(first).hostname) and urlsplit(first).port != 0
    except (ValueError, httpx.InvalidURL):
        return False


def _pause_of(answer: httpx.Response) -> float | None:
    """Return the receiver's own pause in seconds: its header's, or what Telegram says in its answer; None where it names none."""
    named = answer.headers.get("retry-after", "")
    told = re.search(r'"retry_after"\s*:\s*(\d+)', answer.text) if answer.status_code == 429 else None
    pause = named if re.fullmatch(r"[0-9]+", named) else told[1] if told else ""
    return min(float(pause), LONGEST_PAUSE) if pause else None


def _mrkdwn(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

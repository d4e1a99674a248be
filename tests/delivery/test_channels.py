"""Channels against local servers: SMTP, Slack, Telegram, signed webhooks; what is refused, and what is never reached."""

import json
import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from delivery.channels import Channels, DeliveryFailed, read_target
from delivery.settings import DeliverySettings
from domain.alerts import ChannelKind, Message
from domain.errors import UsageError

SAID = Message("alert-1:fired", "CPA вырос: meta_ads «Кухни» <script>", "CPA 120.00 RUB; раньше 60.00 RUB")


class Mailbox:
    """An SMTP handler that keeps what it is given, refuses one address, and knows one login."""

    login, password = b"team@example.com", b"a/b@c"

    def __init__(self) -> None:
        self.mails: list[Any] = []

    def knows(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (self.login, self.password), handled=False)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    handler = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port, authenticator=handler.knows, auth_require_tls=False)
    controller.start()
    yield handler, f"smtp://127.0.0.1:{port}"
    controller.stop()


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[list[Any], str]]:
    """An HTTP server that keeps what it is posted; the path says what it answers."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            posted.append((self.path, dict(self.headers), body))
            status = int(self.path.rpartition("/")[2]) if self.path.rpartition("/")[2].isdigit() else 200
            self.send_response(status)
            if status == 429:
                self.send_header("retry-after", "17")
            if status == 302:
                self.send_header("location", "http://127.0.0.1:1/")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield posted, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def channels(**settings: Any) -> Channels:
    return Channels(DeliverySettings(private_addresses=True, timeout_seconds=3, **settings))


def test_a_mail_arrives_as_text_and_a_repeated_one_has_the_same_id(mailbox: tuple[Mailbox, str]) -> None:
    handler, url = mailbox
    sender = channels(smtp_url=SecretStr(url))
    for _ in range(2):
        sender.send(ChannelKind.EMAIL, "team@example.com", SAID)
    (to, first), (_, second) = handler.mails
    assert (to, first["subject"], first.get_content().strip()) == (["team@example.com"], SAID.title, SAID.text)
    assert first["message-id"] == second["message-id"]
    assert first["date"]


def test_a_name_with_a_line_break_of_any_kind_adds_no_header(mailbox: tuple[Mailbox, str]) -> None:
    handler, url = mailbox
    handler.mails.clear()
    for breaks in ("\r\n", "\u2028", "\x85"):
        channels(smtp_url=SecretStr(url)).send(ChannelKind.EMAIL, "team@example.com", Message("k", f"Spend stopped: A{breaks}Bcc: you@example.com", ""))
    assert [(to, mail["subject"], mail["bcc"]) for to, mail in handler.mails] == [(["team@example.com"], "Spend stopped: A Bcc: you@example.com", None)] * 3


def test_a_login_is_read_from_the_url_and_a_wrong_one_is_tried_again_without_telling_it(mailbox: tuple[Mailbox, str]) -> None:
    handler, url = mailbox
    handler.mails.clear()
    place = url.partition("//")[2]
    channels(smtp_url=SecretStr(f"smtp://team%40example.com:a%2Fb%40c@{place}")).send(ChannelKind.EMAIL, "team@example.com", SAID)
    assert len(handler.mails) == 1
    with pytest.raises(DeliveryFailed, match="refused the login") as refused:
        channels(smtp_url=SecretStr(f"smtp://team%40example.com:wrong-word@{place}")).send(ChannelKind.EMAIL, "team@example.com", SAID)
    assert not refused.value.final
    assert "wrong-word" not in str(refused.value)


def test_a_refused_address_is_given_up_and_a_dead_server_is_tried_again(mailbox: tuple[Mailbox, str]) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        channels(smtp_url=SecretStr(mailbox[1])).send(ChannelKind.EMAIL, "nobody@example.com", SAID)
    assert refused.value.final
    with pytest.raises(DeliveryFailed) as dead:
        channels(smtp_url=SecretStr("smtp://user:secret-word@127.0.0.1:1")).send(ChannelKind.EMAIL, "team@example.com", SAID)
    assert not dead.value.final
    assert "secret-word" not in str(dead.value)


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:port", "smtp://[::1", "smtp://team:п%D0%B0роль@{place}"])
def test_a_server_url_that_cannot_be_read_is_not_the_channels_fault(mailbox: tuple[Mailbox, str], url: str) -> None:
    place = mailbox[1].partition("//")[2]
    with pytest.raises(DeliveryFailed, match="server's URL cannot be read") as failed:
        channels(smtp_url=SecretStr(url.format(place=place))).send(ChannelKind.EMAIL, "team@example.com", SAID)
    assert not failed.value.final, "it is tried again, when the setting was corrected"
    assert "роль" not in str(failed.value)


def test_slack_and_telegram_get_text_in_which_nothing_is_markup(receiver: tuple[list[Any], str]) -> None:
    posted, url = receiver
    posted.clear()
    channels().send(ChannelKind.SLACK, f"{url}/services/T/B", SAID)
    channels(telegram_url=url).send(ChannelKind.TELEGRAM, "123:ABC/-100", SAID)
    (_, _, slack), (path, _, telegram) = posted
    assert json.loads(slack)["text"] == "*CPA вырос: meta_ads «Кухни» &lt;script&gt;*\nCPA 120.00 RUB; раньше 60.00 RUB"
    assert path == "/bot123:ABC/sendMessage"
    assert json.loads(telegram) == {"chat_id": "-100", "text": f"{SAID.title}\n{SAID.text}"}


def test_a_webhook_is_verified_by_the_standard_library_of_its_scheme(receiver: tuple[list[Any], str]) -> None:
    posted, url = receiver
    posted.clear()
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    channels().send(ChannelKind.WEBHOOK, f"{url}/hook {secret}", SAID)
    [(_, headers, body)] = posted
    assert Webhook(secret).verify(body, {k.lower(): v for k, v in headers.items()}) == {"type": "alert", "title": SAID.title, "text": SAID.text}
    assert {k.lower(): v for k, v in headers.items()}["webhook-id"] == SAID.key


@pytest.mark.parametrize(("status", "final", "pause"), [(429, False, 17.0), (500, False, None), (404, True, None), (302, True, None)])
def test_what_a_receiver_answers_decides_whether_it_is_tried_again(receiver: tuple[list[Any], str], status: int, final: bool, pause: float | None) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        channels().send(ChannelKind.SLACK, f"{receiver[1]}/{status}", SAID)
    assert (failed.value.final, failed.value.retry_after) == (final, pause)


@pytest.mark.parametrize(("text", "headers", "pause"), [
    ('{"ok":false,"parameters":{"retry_after":5}}', {}, 5.0), ("retry_after: soon", {}, None), ("[]", {"retry-after": "9" * 12}, 86400.0),
    ("", {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None), ("", {"retry-after": "²"}, None),
])  # fmt: skip
def test_a_receiver_names_its_own_pause_in_many_ways_and_none_that_breaks_us(text: str, headers: dict[str, str], pause: float | None) -> None:
    answer = httpx.MockTransport(lambda _: httpx.Response(429, text=text, headers=[(k.encode(), v.encode()) for k, v in headers.items()]))
    with pytest.raises(DeliveryFailed) as failed:
        Channels(DeliverySettings(), httpx.Client(transport=answer)).send(ChannelKind.TELEGRAM, "1:a/2", SAID)
    assert (failed.value.final, failed.value.retry_after) == (False, pause)


@pytest.mark.parametrize(("kind", "target"), [
    (ChannelKind.WEBHOOK, "http://127.0.0.1:1/ whsec_a"), (ChannelKind.SLACK, "http://127.0.0.1:99999999/"), (ChannelKind.SLACK, "http://[::1"),
    (ChannelKind.TELEGRAM, "1:2\n3/4"), (ChannelKind.EMAIL, "team@example.com\nBcc: you@example.com"),
])  # fmt: skip
def test_a_target_that_no_message_can_reach_is_given_up(kind: ChannelKind, target: str) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        channels(smtp_url=SecretStr("smtp://127.0.0.1:1")).send(kind, target, SAID)
    assert failed.value.final


@pytest.mark.parametrize("target", ["http://127.0.0.1:8123/", "http://169.254.169.254/latest", "http://[::1]/", "ftp://example.com/x"])
def test_a_private_address_is_never_reached(target: str) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        Channels(DeliverySettings(timeout_seconds=1)).send(ChannelKind.WEBHOOK, target, SAID)
    assert refused.value.final


@pytest.mark.parametrize(("kind", "text"), [
    ("email", "team"), ("email", "a@b\nBcc:c@d"), ("slack", "team"), ("slack", "https://x.example:port/"), ("telegram", "chat"), ("webhook", "ftp://x"),
    ("webhook", "https://x.example whsec_a"), ("webhook", "https://x.example whsec_"), ("webhook", "https://x.example a b"),
])  # fmt: skip
def test_a_target_that_cannot_be_right_is_refused_at_once(kind: str, text: str) -> None:
    with pytest.raises(UsageError, match="no target"):
        read_target(kind, text, DeliverySettings())


@pytest.mark.parametrize(
    ("kind", "target"), [("webhook", "http://127.0.0.1:9/x whsec_c2VjcmV0"), ("slack", "https://10.0.0.1/hook"), ("webhook", "http://[::1]/")]
)
def test_a_private_address_is_refused_when_it_is_added_unless_it_is_allowed(kind: str, target: str) -> None:
    with pytest.raises(UsageError, match="private address") as refused:
        read_target(kind, target, DeliverySettings())
    assert "MRM_DELIVERY_PRIVATE_ADDRESSES=1" in refused.value.fix
    assert read_target(kind, target, DeliverySettings(private_addresses=True)) == target


def test_a_public_address_and_a_host_that_nobody_knows_yet_are_taken() -> None:
    for target in ("https://8.8.8.8/x", "https://new.invalid/x"):
        assert read_target("webhook", target, DeliverySettings()) == target


def test_a_host_that_can_be_none_is_no_fault_of_ours() -> None:
    assert read_target("webhook", "https://example..com/hook", DeliverySettings()) == "https://example..com/hook"
    channels = Channels(DeliverySettings(timeout_seconds=3))
    with pytest.raises(DeliveryFailed):
        channels.send(ChannelKind.WEBHOOK, "https://example..com/hook", Message("id", "title", "text"))
    channels.close()

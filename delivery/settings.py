"""What delivery needs from outside, with the prefix MRM_DELIVERY_."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DeliverySettings(BaseSettings):
    """Servers and limits. Built at the composition root."""

    model_config = SettingsConfigDict(env_prefix="MRM_DELIVERY_", extra="ignore")
    smtp_url: SecretStr | None = None
    """smtp://user:password@host:587 (STARTTLS where the server offers it) or smtps://…:465; None: e-mail cannot be sent."""
    sender: str = "MRM <mrm@localhost>"
    telegram_url: str = "https://api.telegram.org"
    timeout_seconds: float = 15
    attempts: int = 6
    private_addresses: bool = False
    """Whether webhooks may reach private and loopback addresses; tests and closed networks say so."""

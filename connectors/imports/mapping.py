"""The mapping file: which column of a CSV file is which of ours, and how its dates and numbers are written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from domain.errors import UsageError

OURS = (
    *("date", "campaign_id", "campaign_name", "impressions", "clicks", "spend", "conversions", "conversions_value"),
    *("account_id", "account_name", "currency", "timezone", "vat_included"),
)
"""What a file can tell; date, spend, and a campaign's id or name it must."""

CONSTANTS = ("account_id", "account_name", "currency", "timezone", "vat_included")
"""What may be one value for the whole file."""


class FileMapping(BaseModel):
    """How to read one kind of file. Without a mapping file, columns are expected under our own names."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    columns: dict[str, str] = Field(default_factory=dict)
    """Ours to the file's: `spend: Расход`. A column of ours that is not named is looked for under its own name."""
    constants: dict[str, str] = Field(default_factory=dict)
    """One value for the whole file: `currency: RUB`."""
    date_format: str = "%Y-%m-%d"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    thousands: str = ""
    """What separates thousands; blanks of every kind are always allowed where it is a blank."""
    encoding: str = "utf-8"
    skip_rows: int = Field(default=0, ge=0)
    """Lines before the header."""

    @field_validator("columns", "constants")
    @classmethod
    def _ours(cls, value: dict[str, str], info: object) -> dict[str, str]:
        known = CONSTANTS if getattr(info, "field_name", "") == "constants" else OURS
        if unknown := sorted(set(value) - set(known)):
            raise ValueError(f"{', '.join(unknown)} is none of {', '.join(known)}")
        return value

    @field_validator("constants", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        """YAML reads yes and no as booleans: they are ours for VAT."""
        return {k: ({True: "yes", False: "no"}[v] if isinstance(v, bool) else str(v)) for k, v in value.items()} if isinstance(value, Mapping) else value


def read_mapping(path: Path | None) -> FileMapping:
    """Read a mapping file, YAML or JSON; None gives our own names. Raises UsageError that names what is wrong."""
    if path is None:
        return FileMapping()
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        return FileMapping.model_validate(loaded or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"The mapping {path} cannot be read", why=str(error), fix="An example stands in docs/connectors/import.md") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors())
        raise UsageError(f"The mapping {path} does not fit", why=wrong, fix="An example stands in docs/connectors/import.md") from None

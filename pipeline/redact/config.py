"""What is masked."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["KINDS", "Kind", "RedactionConfig"]

Kind = Literal["url", "email", "iban", "card", "phone", "address", "postcode", "number"]

KINDS: dict[Kind, str] = {
    "url": "Links and web addresses",
    "email": "E-mail addresses",
    "iban": "Bank accounts (IBAN, by checksum)",
    "card": "Payment cards (by checksum)",
    "phone": "Phone numbers",
    "address": "Streets with a house number",
    "postcode": "Postcodes",
    "number": "Other long numbers: orders, customers, documents",
}


class RedactionConfig(BaseModel):
    """What is masked: kinds that are found by their form, names with their aliases, and words of the user's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[Kind, ...] = Field(tuple(KINDS), description="What is looked for by its form.")
    aliases: dict[str, str] = Field({}, description="Names as the chat has them, and what they become.")
    words: tuple[str, ...] = Field((), description="Words and phrases to mask wherever they stand.")
    countries: tuple[str, ...] = Field((), description="Where numbers without + are from, such as DE; empty: any.")

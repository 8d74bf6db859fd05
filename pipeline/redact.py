"""Messages without personal data."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RedactionConfig"]


class RedactionConfig(BaseModel):
    """What is masked: the kinds that are found by their form, names with their aliases, and words of the user's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    aliases: dict[str, str] = Field({}, description="Names as the chat has them, and what they become.")
    words: tuple[str, ...] = Field((), description="Words and phrases to mask wherever they stand.")

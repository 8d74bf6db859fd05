"""Messages without personal data: found by form or named by the user, masked in place, the same each time."""

from pipeline.redact.apply import LIMITS, Redacted, mask_text, redact, search_messages
from pipeline.redact.config import KINDS, Kind, RedactionConfig
from pipeline.redact.find import Span, find
from pipeline.redact.names import suggest_aliases

__all__ = [
    "KINDS",
    "LIMITS",
    "Kind",
    "Redacted",
    "RedactionConfig",
    "Span",
    "find",
    "mask_text",
    "redact",
    "search_messages",
    "suggest_aliases",
]

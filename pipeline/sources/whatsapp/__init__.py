"""WhatsApp's text exports: bytes to the table of messages and how they were read."""

from pipeline.sources.whatsapp.parse import looks_like_whatsapp, parse_bytes

__all__ = ["looks_like_whatsapp", "parse_bytes"]

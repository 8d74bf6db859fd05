"""WhatsApp's "Export chat": a .txt, alone or in a .zip, in any language and date order."""

from pipeline.sources.source import Source
from pipeline.sources.whatsapp.parse import parse, recognises

__all__ = ["SOURCE"]

SOURCE = Source(
    name="whatsapp",
    app="WhatsApp",
    endings=(".txt",),
    export="the .txt or .zip that WhatsApp makes under “Export chat”",
    recognises=recognises,
    chats=lambda text: [],
    parse=parse,
)

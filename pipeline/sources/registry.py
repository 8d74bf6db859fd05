"""Every source that there is: a new one is a file beside this one, and a line here."""

from pipeline.sources import (
    discord,
    meta,
    telegram,
    whatsapp,
)
from pipeline.sources.source import Evidence, Source

__all__ = ["SOURCES", "endings", "likely_sources", "recognise", "what_to_bring"]

SOURCES: tuple[Source, ...] = (
    whatsapp.SOURCE,
    telegram.SOURCE,
    meta.SOURCE,
    discord.SOURCE,
)


def recognise(start: str, name: str) -> tuple[Source, Evidence] | None:
    """The source that is surest of a file, and on what evidence; None where none is. `start`: how its text begins."""
    found = [(source, evidence) for source in SOURCES if (evidence := source.recognises(start, name))]
    return max(found, key=lambda pair: pair[1].sure, default=None)


def likely_sources(name: str) -> list[Source]:
    """The sources to try for a file that none recognises by its beginning: those of its ending, else all."""
    return [source for source in SOURCES if name.lower().endswith(source.endings)] or list(SOURCES)


def endings() -> tuple[str, ...]:
    """The endings of texts that some source reads."""
    return tuple(dict.fromkeys(ending for source in SOURCES for ending in source.endings))


def what_to_bring() -> str:
    """What to choose, for the end of a sentence: "the .txt that ... makes, or ..."."""
    *first, last = (source.export for source in SOURCES)
    return f"{', '.join(first)}, or {last}" if first else last

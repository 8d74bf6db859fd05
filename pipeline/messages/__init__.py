"""Exports of chats to one table: parse() for text, read() for files, people() for who is in it.

The table has one row a message in file order (SCHEMA); the Layout says how the file was read and how sure that is.
"""

import polars as pl

from pipeline.messages.captions import captions
from pipeline.messages.merge import likely_pairs, merge, merge_senders
from pipeline.messages.read import chats_in, read, with_one_name
from pipeline.messages.schema import KINDS, SCHEMA, Chat, Layout, people
from pipeline.messages.whatsapp import parse_bytes

__all__ = [
    "KINDS",
    "SCHEMA",
    "Chat",
    "Layout",
    "captions",
    "chats_in",
    "likely_pairs",
    "merge",
    "merge_senders",
    "parse",
    "people",
    "read",
    "with_one_name",
]


def parse(text: str, date_order: str | None = None) -> tuple[pl.DataFrame, Layout]:
    """The messages of one export as a table (SCHEMA), and how it was read.

    `date_order` (dmy, mdy, ymd) overrules what the file says. A text is as written, with inner newlines and
    "<attached: f>", but for the app's own direction mark in front and its "<This message was edited>" behind, which
    becomes `edited`. Lines of the app itself have no sender, even where iOS writes one. Raises ChatError if there is no
    chat in the text.
    """
    data = text.encode("utf-8", "replace")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    del text  # four bytes a character where there are emoji: let go of it if the caller has
    return parse_bytes(data, date_order)

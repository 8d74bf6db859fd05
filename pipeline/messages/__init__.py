"""The table that every source gives: one row a message in file order, and what is known about where it came from."""

from pipeline.messages.captions import captions
from pipeline.messages.merge import likely_pairs, merge, merge_senders, same_chat, with_one_name
from pipeline.messages.schema import KINDS, SCHEMA, Chat, Layout, people
from pipeline.messages.titles import part_of, title_of

__all__ = [
    "KINDS",
    "SCHEMA",
    "Chat",
    "Layout",
    "captions",
    "likely_pairs",
    "merge",
    "merge_senders",
    "part_of",
    "people",
    "same_chat",
    "title_of",
    "with_one_name",
]

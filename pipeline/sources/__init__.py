"""Exports of chats to one table: parse() for text, read() for files."""

from pipeline.sources.read import chats_in, parse, read

__all__ = ["chats_in", "parse", "read"]

"""What can be asked of a visitor's chat: its moments, remembered beside it when first asked."""

import polars as pl

from pipeline.errors import ChatError
from pipeline.progress import SILENT, Progress
from pipeline.retrieval import Moment, ask, build_index, open_index
from pipeline.store import ChatFolder, locked
from pipeline.turns import spoken
from pipeline.visitors.chat import chat_stamp, load_chat
from pipeline.visitors.visitor import Visitor

__all__ = ["around", "ask_chat"]

NO_CHAT = "There is no chat to ask: bring one first, or try the sample chat."
Line = tuple[str, str]  # who, what
LONGEST = 500  # characters of a question


def ask_chat(visitor: Visitor, question: str, progress: Progress = SILENT) -> list[Moment]:
    """The moments of the chat that bear on a question. Raises ChatError without a chat or a question."""
    question = question.strip()
    if not question:
        raise ChatError("Ask the chat something first, such as: when did we go to the lake?")
    if len(question) > LONGEST:
        raise ChatError(f"This question is too long: ask in at most {LONGEST} characters.")
    folder, stamp = ChatFolder(visitor.files.chat), chat_stamp(visitor)
    if not stamp:
        raise ChatError(NO_CHAT)
    index = open_index(folder.memory, stamp)
    if index is None:
        with locked(folder.memory_lock):
            chat = load_chat(visitor)
            if chat is None:
                raise ChatError(NO_CHAT)
            index = build_index(folder.memory, {chat.title: chat.messages}, progress, of=stamp)
    return ask(index, question)


def around(messages: pl.DataFrame, moment: Moment, many: int = 12) -> tuple[list[Line], list[Line]]:
    """What people wrote just before a moment and just after it, as (sender, text): at most so many messages each."""
    said = spoken(messages.with_row_index("row")).select("row", "sender", "text")
    first, last = moment.messages[0].row, moment.messages[-1].row
    before = said.filter(pl.col("row") < first).tail(many)
    after = said.filter(pl.col("row") > last).head(many)
    return before.select("sender", "text").rows(), after.select("sender", "text").rows()

"""`python -m pipeline ask`: the moments of one or several chats that answer a question."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.steps import read_chat, writable
from pipeline.cli.terminal import bar
from pipeline.errors import ChatError

if TYPE_CHECKING:
    import polars as pl

    from pipeline.retrieval import Moment

__all__ = ["ask"]


def ask(
    words: Annotated[
        list[str], typer.Argument(metavar="CHATS... QUESTION", help="Exports of chats, then what is asked of them.")
    ],
    questions: Annotated[
        Path | None, typer.Option(help='Ask many instead: a file with a line of JSON each, {"question": "..."}.')
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=50, help="How many moments to show.")] = 5,
    memory: Annotated[
        Path | None, typer.Option(help="Keep what is remembered in this folder, so that it is there next time.")
    ] = None,
    date_order: Annotated[str | None, typer.Option(help="Read dates as dmy, mdy or ymd.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON, for scripts.")] = False,
) -> None:
    """Find the moments that answer a question, quoted with date and speaker. Nothing is trained or made up."""
    from pipeline.retrieval import ask as find
    from pipeline.retrieval import build_index

    files, asked = (words, read_questions(questions)) if questions else (words[:-1], [{"question": words[-1]}])
    if not files:
        raise ChatError('Name a chat first, then the question: ask _chat.txt "when did we go to the lake?".')
    chats = read_chats([Path(file) for file in files], date_order)
    with tempfile.TemporaryDirectory() as scratch:
        with bar("Remembering") as progress:
            index = build_index(writable(memory or Path(scratch) / "found"), chats, progress)
        for line in asked:
            found = find(index, line["question"], top)
            if questions or as_json:
                print(json.dumps({**line, "moments": [as_data(moment) for moment in found]}, ensure_ascii=False))
            else:
                print("\n\n".join(as_text(moment, several=len(chats) > 1) for moment in found))


def read_chats(files: list[Path], date_order: str | None) -> "dict[str, pl.DataFrame]":
    """The messages of each chat by its title; several exports of one chat are made into one."""
    from pipeline.messages import merge, same_chat

    chats: dict[str, pl.DataFrame] = {}
    for file in files:
        found = read_chat([file], date_order)
        same = next((title for title, messages in chats.items() if same_chat(messages, found.messages)), None)
        if same is not None:
            chats[same] = merge([chats[same], found.messages])
        else:
            chats[found.title if found.title not in chats else f"{found.title} ({file})"] = found.messages
    return chats


def read_questions(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of questions. Raises ChatError where one is none."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise ChatError(f"The questions in {path} cannot be read: give a file with a line of JSON each.") from error
    if not all(isinstance(line, dict) and isinstance(line.get("question"), str) for line in lines):
        raise ChatError(f'Each line of {path} must be like {{"question": "when did we go to the lake?"}}.')
    return lines


def as_data(moment: "Moment") -> dict[str, Any]:
    said = [
        {"sent_at": one.sent_at.isoformat(), "sender": one.sender, "text": one.text, "row": one.row}
        for one in moment.messages
    ]
    return {"chat": moment.chat, "score": round(moment.score, 4), "messages": said}


def as_text(moment: "Moment", several: bool) -> str:
    first = moment.messages[0].sent_at
    title = f"{first:%d %B %Y, %H:%M}" + (f" · {moment.chat}" if several else "")
    return "\n".join([title, *(f"  {one.sender}: {one.text}" for one in moment.messages)])

"""The memory of some chats, in a folder of its own: what was said, and where to look for it.

    index.json          the version, what the vectors were made with, and whose chats these are (a stamp)
    said.parquet        the messages that are remembered (see moments.remembered)
    moments.parquet     first, last, key: each moment's place in them
    wide.npy            int8 (moments, 512): the mean of its messages' vectors
    close.npy           int8 (moments, 384): of what stands in its middle (see pipeline.retrieval.meaning for where)
    words/              tantivy's index of its terms

A folder is replaced whole by one that is made beside it. What costs time are the vectors: those of moments that are
still the same are taken over, so that a chat that has grown is ready at the price of what is new.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.errors import ChatError
from pipeline.progress import SILENT, Progress
from pipeline.retrieval.meaning import CLOSE, CLOSE_SIZE, WIDE, WIDE_SIZE, close_vectors, most_close, wide_vectors
from pipeline.retrieval.moments import EVERY, Spans, remembered, spans
from pipeline.retrieval.terms import terms

__all__ = ["Index", "build_index", "open_index"]

ABOUT = {"version": 1, "wide": WIDE, "close": CLOSE}
# A vector's parts are seldom above a quarter; what is, is cut off.
SCALE = 127 / 0.25
AT_ONCE = 4_000  # moments whose messages' vectors are held at a time: 40 MB


@dataclass(frozen=True, repr=False)  # what was said belongs in no error message
class Index:
    """An opened memory. `said` as of moments.remembered; `moments` has a row a moment: first, last, key, starts."""

    said: pl.DataFrame
    moments: pl.DataFrame
    wide: NDArray[np.int8]
    signs: NDArray[np.uint64]  # one bit for each of a wide vector's dimensions, for a first look at all moments
    close: NDArray[np.int8] | None
    words: Any  # tantivy.Index


def open_index(folder: Path, of: str | None = None) -> Index | None:
    """The memory in this folder; None where there is none, or one of another version, or not `of` this stamp."""
    import tantivy

    about = _about(folder)
    if not isinstance(about, dict) or of not in (None, about.pop("of", "")) or about != ABOUT:
        return None
    said = pl.read_parquet(folder / "said.parquet")
    moments = pl.read_parquet(folder / "moments.parquet")
    starts = said["sent_at"].gather(moments["first"])
    wide = np.load(folder / "wide.npy", mmap_mode="r")
    close = np.load(folder / "close.npy") if most_close() and (folder / "close.npy").is_file() else None
    words = tantivy.Index.open(str(folder / "words"))
    signs = np.packbits(wide > 0, axis=1).view(np.uint64)
    return Index(said, moments.with_columns(starts=starts), wide, signs, close, words)


def build_index(folder: Path, chats: dict[str, pl.DataFrame], progress: Progress = SILENT, *, of: str = "") -> Index:
    """Remember these chats (title to table of messages) in this folder, with nothing else that was there before.

    of: a stamp of the chats, by which open_index knows that they are still the same. The folder over this one must be
    there. Raises ChatError where nobody wrote anything, CancelledError where it was cancelled: the old memory stays.
    """
    said = remembered(chats)
    if said.is_empty():
        raise ChatError("There is no written message in this chat, so nothing can be asked of it.")
    found = spans(said)
    before = open_index(folder)
    if before is not None and before.said.equals(said):
        _write_about(folder, of)
        return before
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    try:
        said.write_parquet(new / "said.parquet")
        pl.DataFrame(
            {"first": found.first, "last": found.last, "key": found.keys},
            schema={"first": pl.UInt32, "last": pl.UInt32, "key": pl.String},
        ).write_parquet(new / "moments.parquet")
        _write_words(new / "words", said, found)
        with_close = len(found.keys) <= most_close()
        np.save(new / "wide.npy", _wide(said, found, before, progress.part(0.1 if with_close else 1.0)))
        if with_close:
            np.save(new / "close.npy", _close(said, found, before, progress.part(0.9)))
        _write_about(new, of)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    made = open_index(folder)
    assert made is not None
    return made


def _about(folder: Path) -> Any:
    try:
        return json.loads((folder / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write_about(folder: Path, of: str) -> None:
    (folder / "index.json").write_text(json.dumps({**ABOUT, "of": of}), encoding="utf-8")


def _write_words(folder: Path, said: pl.DataFrame, found: Spans) -> None:
    """An index of each moment's terms, its senders' names among them."""
    import tantivy

    schema = (
        tantivy.SchemaBuilder()
        .add_text_field("terms", stored=False, tokenizer_name="whitespace", index_option="freq")
        .add_unsigned_field("moment", stored=False, indexed=False, fast=True)
        .build()
    )
    folder.mkdir()
    writer = tantivy.Index(schema, path=str(folder)).writer(heap_size=100_000_000, num_threads=1)
    senders = said["sender"].unique(maintain_order=True)
    names = dict(zip(senders, terms(senders).list.join(" "), strict=True))
    lines = [
        f"{names[sender]} {line}"
        for sender, line in zip(said["sender"], terms(said["text"]).list.join(" "), strict=True)
    ]
    for number, (first, last) in enumerate(zip(found.first, found.last, strict=True)):
        document = tantivy.Document()
        document.add_text("terms", " ".join(lines[first : last + 1]))
        document.add_unsigned("moment", number)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


def _wide(said: pl.DataFrame, found: Spans, before: Index | None, progress: Progress) -> NDArray[np.int8]:
    """Each moment's mean vector. Not made a unit vector again: where messages speak of one thing it stays longer."""
    made, fresh = _taken_over(found.keys, before, before.wide if before else np.empty((0, WIDE_SIZE), np.int8))
    texts = said["text"]
    for start in range(0, len(fresh), AT_ONCE):
        part = fresh[start : start + AT_ONCE]
        rows = sorted({row for number in part for row in range(found.first[number], found.last[number] + 1)})
        places = {row: place for place, row in enumerate(rows)}
        vectors = wide_vectors(texts.gather(rows).to_list(), progress.part(len(part) / len(fresh)))
        for number in part:
            first, last = places[found.first[number]], places[found.last[number]]
            made[number] = _small(vectors[first : last + 1].mean(axis=0))
    return made


def _close(said: pl.DataFrame, found: Spans, before: Index | None, progress: Progress) -> NDArray[np.int8]:
    """The vector of what stands in each moment's middle, read as the conversation that it is."""
    old = before.close if before else None
    made, fresh = _taken_over(
        found.keys, before if old is not None else None, np.empty((0, CLOSE_SIZE), np.int8) if old is None else old
    )
    lines = [f"{sender}: {text}" for sender, text in said.select("sender", "text").iter_rows()]
    cores = [lines[found.core[number] : min(found.core[number] + EVERY, found.last[number] + 1)] for number in fresh]
    made[fresh] = _small(close_vectors(["\n".join(core) for core in cores], progress))
    return made


def _taken_over(keys: list[str], before: Index | None, old: NDArray[np.int8]) -> tuple[NDArray[np.int8], list[int]]:
    """Room for all moments' vectors with those of old moments in it, and the numbers of the others."""
    places = dict(zip(before.moments["key"], range(before.moments.height), strict=True)) if before else {}
    made = np.empty((len(keys), old.shape[1]), np.int8)
    for number, key in enumerate(keys):
        if key in places:
            made[number] = old[places[key]]
    return made, [number for number, key in enumerate(keys) if key not in places]


def _small(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    return np.clip(np.round(vectors * SCALE), -127, 127).astype(np.int8)

"""How often the messages that answer a question are found, and how fast.

python benchmarks/retrieval.py quality [FOLDER]    questions.jsonl: by words, by meaning, by both; the table's rows
python benchmarks/retrieval.py speed [MESSAGES]    a made-up chat of so many messages, remembered and asked

questions.jsonl: each question with the moments that answer it, as rows of the chat's table. Every second one was looked
at while the search was made ("tuned on"); the others were asked in the end alone.
"""

import json
import math
import re
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from other_chats import CHATS, write

from pipeline.retrieval import Index, ask, build_index, open_index
from pipeline.retrieval.meaning import close_question, wide_vectors
from pipeline.retrieval.search import best, by_close, by_wide, by_words, ways
from pipeline.sample import write_sample
from pipeline.sources import read

QUESTIONS = Path(__file__).with_name("questions.jsonl")
Found = list[set[int]]  # rows of the chat, a set a moment


def chats(folder: Path) -> dict[str, pl.DataFrame]:
    """The three chats that are asked, as an export of each is read."""
    (folder / "sample").mkdir(parents=True, exist_ok=True)
    files = {"sample": write_sample(folder / "sample")}
    files |= {name: write(CHATS[name], folder / name) for name in ("small", "pair")}
    return {name: read(file).messages for name, file in files.items()}


def windows_of(messages: pl.DataFrame, size: int) -> Callable[[str], Found]:
    """The usual search to compare with: BM25 over every window of so many messages, names and all words counted."""
    texts = [
        re.findall(r"\w+", f"{sender or ''} {text or ''}".lower())
        for sender, text in messages.select("sender", "text").iter_rows()
    ]
    places = [range(at, min(at + size, len(texts))) for at in range(0, len(texts), size)]
    documents = [Counter(word for row in place for word in texts[row]) for place in places]
    lengths = np.array([document.total() for document in documents])
    postings = defaultdict(list)
    for number, document in enumerate(documents):
        for word, times in document.items():
            postings[word].append((number, times))

    def search(question: str) -> Found:
        scores = np.zeros(len(documents))
        for word in set(re.findall(r"\w+", question.lower())) & postings.keys():
            numbers, times = np.array(postings[word]).T
            rare = math.log(1 + (len(documents) - len(numbers) + 0.5) / (len(numbers) + 0.5))
            scores[numbers] += rare * times * 2.5 / (times + 1.5 * (0.25 + 0.75 * lengths[numbers] / lengths.mean()))
        return [set(places[number]) for number in np.argsort(-scores, kind="stable")[:5]]

    return search


def ours(index: Index, *names: str) -> Callable[[str], Found]:
    """The search by some of its ways alone, or as it is."""

    def search(question: str) -> Found:
        by = {
            "words": lambda: by_words(index, question),
            "wide": lambda: by_wide(index, wide_vectors([question])[0]),
            "close": lambda: by_close(index, close_question(question)),
        }
        found = [by[name]() for name in names] or ways(index, question)
        return [{said.row for said in moment.messages} for moment in best(index, found, 5)]

    return search


def marks(search: dict[str, Callable[[str], Found]]) -> list[str]:
    """Of how many questions some evidence is among the first five, by kind of question; how much was shown."""
    hits: dict[str, list[float]] = defaultdict(list)
    for number, line in enumerate(QUESTIONS.read_text(encoding="utf-8").splitlines()):
        asked: dict[str, Any] = json.loads(line)
        seen: set[int] = set().union(*search[asked["chat"]](asked["question"]))
        found = [bool(seen & set(moment)) for moment in asked["moments"]]
        hits["all"].append(any(found))
        hits["unseen" if number % 2 else "tuned on"].append(any(found))
        hits["one" if len(found) == 1 else "several"].append(any(found))
        hits["each moment"].append(sum(found) / len(found))
        if asked["language"] != "en":
            hits["other language"].append(any(found))
        hits["shown"].append(len(seen) / 100)
    order = ("all", "tuned on", "unseen", "one", "several", "each moment", "other language", "shown")
    return [f"{100 * sum(hits[name]) / len(hits[name]):.0f}" for name in order]


def quality(folder: Path) -> None:
    tables = chats(folder)
    indexes = {name: build_index(folder / name / "memory", {name: table}) for name, table in tables.items()}
    searches = {
        "BM25, windows of 3": {name: windows_of(table, 3) for name, table in tables.items()},
        "BM25, windows of 8": {name: windows_of(table, 8) for name, table in tables.items()},
        "by words": {name: ours(index, "words") for name, index in indexes.items()},
        "by meaning, wide": {name: ours(index, "wide") for name, index in indexes.items()},
        "by meaning, close": {name: ours(index, "close") for name, index in indexes.items()},
        "words and wide (large chats)": {name: ours(index, "words", "wide") for name, index in indexes.items()},
        "all, as asked": {name: ours(index) for name, index in indexes.items()},
    }
    for name, search in searches.items():
        print(f"| {name} | {' | '.join(marks(search))} |", flush=True)


def made_up(messages: int) -> pl.DataFrame:
    """A chat of so many messages, ten words each: words of chitchat-dataset, and rarer ones that are made up."""
    from chitchat_dataset import Dataset

    texts = [m["text"] for c in Dataset().values() for turn in c["messages"] for m in turn]
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    every = np.array([word for text in words for word in text])
    draw = np.random.default_rng(0)
    lengths = np.maximum(1, draw.choice([len(text) for text in words], messages))
    drawn = every[draw.integers(0, len(every), lengths.sum())].astype(object)
    rare = draw.random(len(drawn)) < 0.1
    drawn[rare] = [f"w{int(number) % 400_000:x}" for number in draw.pareto(0.8, rare.sum()) * 20]
    ends = np.cumsum(lengths)
    said = [" ".join(drawn[end - length : end]) for end, length in zip(ends, lengths, strict=True)]
    gaps = np.where(draw.random(messages) < 0.05, draw.exponential(8 * 3600, messages), draw.exponential(60, messages))
    start = datetime(2010, 1, 1)
    sent = pl.Series([start + timedelta(seconds=int(gap)) for gap in gaps.cumsum()]).cast(pl.Datetime("us"))
    return pl.DataFrame({"sent_at": sent, "sender": draw.choice(["Ada", "Bo"], messages), "text": said}).with_columns(
        kind=pl.lit("text")
    )


def speed(messages: int) -> None:
    table = made_up(messages)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "memory"
        wall, cpu = time.time(), time.process_time()
        index = build_index(folder, {"made up": table})
        wall, cpu = time.time() - wall, time.process_time() - cpu
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        opened = time.time()
        index = open_index(folder) or index
        opened = time.time() - opened
        draw = np.random.default_rng(1)
        asked = [f"What did Ada say about {' '.join(table['text'][int(row)].split()[:4])}?"
                 for row in draw.integers(0, messages, 220)]  # fmt: skip
        for question in asked[:20]:
            ask(index, question)
        took = []
        for question in asked[20:]:
            start = time.perf_counter()
            ask(index, question)
            took.append(1000 * (time.perf_counter() - start))
    middle, high = np.percentile(took, [50, 95])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {messages:,} | {wall:.0f} | {cpu:.0f} | {opened:.1f} | {middle:.0f} | {high:.0f} | {size / 1e6:,.0f} | "
        f"{peak:,.0f} |"
    )


if __name__ == "__main__":
    if sys.argv[1] == "speed":
        speed(int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
    else:
        quality(Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp()))

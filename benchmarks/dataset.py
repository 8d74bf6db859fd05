"""CPU time from messages to a dataset on disk, tokenising aside: the sample's words over and over, a number in each.

python benchmarks/dataset.py [--messages 1000000]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from pipeline.dataset import DatasetConfig, build_dataset, write_dataset
from pipeline.redact import RedactionConfig, redact, suggest_aliases
from pipeline.sample import PERSON, sample_text
from pipeline.sources import parse


def long_chat(count: int) -> pl.DataFrame:
    """The sample repeated every 18 days, no text twice."""
    once = parse(sample_text())[0].drop_nulls("sender")
    times = -(-count // once.height)
    copies = (once.with_columns(pl.col("sent_at") + timedelta(days=18 * i)) for i in range(times))
    number = pl.int_range(pl.len()).cast(pl.String)
    return pl.concat(copies).head(count).with_columns(pl.col("text") + " " + number)


def timed(what: str, work: Callable[[], Any]) -> Any:
    started = time.process_time()
    made = work()
    print(f"{what:24} {time.process_time() - started:6.2f} s CPU")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    messages = long_chat(parser.parse_args().messages)
    dataset = timed("build", lambda: build_dataset(messages, DatasetConfig(person=PERSON)))
    summary = dataset.summary
    print(
        f"  {messages.height} messages, {summary.replies} replies, {summary.train_rows + summary.validation_rows} rows"
    )
    with tempfile.TemporaryDirectory() as folder:
        timed("write", lambda: write_dataset(dataset, Path(folder)))
    # As written: a number in every message would be a search for phone numbers in every message.
    fewer = messages.head(100_000).with_columns(pl.col("text").str.replace(r" \d+$", ""))
    masking = RedactionConfig(aliases=suggest_aliases(fewer))
    timed("mask 100,000 messages", lambda: redact(fewer, masking))


if __name__ == "__main__":
    main()

"""Every table of a chat of a million messages, beside what whatstk and chat-miner have of the same chat.

    python benchmarks/analyse.py [--messages 1000000] [--people 150] [--peer PYTHON]

PYTHON is the interpreter of an environment that has both. Each side runs in a process of its own, after reading.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]

DONE = """
print(f"{time.process_time() - began:.2f} s, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
"""
WHATSTK = """
import sys, time, resource
import pandas
from whatstk.analysis import get_interventions_count, get_response_matrix
frame = pandas.read_csv(sys.argv[1], parse_dates=["date"], keep_default_na=False)
began = time.process_time()
for step in ("date", "hour", "weekday", "month"):
    get_interventions_count(df=frame, date_mode=step)
get_interventions_count(df=frame, date_mode="date", msg_length=True)
get_response_matrix(df=frame)
"""
CHAT_MINER = """
import sys, time, resource
import matplotlib; matplotlib.use("agg")
import polars
from chatminer import visualizations
frame = polars.read_csv(sys.argv[1], try_parse_dates=True).with_columns(polars.col("message").fill_null(""))
frame = frame.rename({"date": "timestamp", "username": "author"})
began = time.process_time()
visualizations.sunburst(frame)
visualizations.radar_factory(7, frame="polygon")
visualizations.radar(frame)
year = frame["timestamp"].dt.year().mode()[0]
visualizations.calendar_heatmap(frame, year=year, ax=matplotlib.pyplot.figure().add_subplot())
visualizations.wordcloud(frame)
"""
PEERS = {
    "whatstk, counts by date, hour, weekday, month, length, who answers whom": WHATSTK,
    "chat-miner, its pictures: by hour, by weekday, the days of one year, the words": CHAT_MINER,
}


def main() -> None:
    """Make the chat, run both sides, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=150)
    parser.add_argument("--peer", help="python of an environment with whatstk and chat-miner")
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.ours:
        ours(chosen.ours)
        return
    with tempfile.TemporaryDirectory() as folder:
        chat = Path(folder) / "chat.parquet"
        make_chat(chat, chosen.messages, chosen.people)
        print(f"{chosen.messages:,} messages, {chosen.people} people")
        for _ in range(3):
            subprocess.run([sys.executable, __file__, "--ours", str(chat)], check=True)
        if chosen.peer:
            table = Path(folder) / "chat.csv"
            write_csv(chat, table)
            for what, script in PEERS.items():
                command = [chosen.peer, "-c", script + DONE, str(table)]
                print(f"{what}: {subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()}")


def ours(chat: Path) -> None:
    """CPU seconds of every table, of the language detector's start, and of an answer to a filter."""
    import polars as pl

    sys.path.insert(0, str(ROOT))
    from pipeline import analysis, charts

    messages = pl.read_parquet(chat)
    began = time.process_time()
    from py3langid import classify

    classify("The detector reads its model at its first text.")
    detector = time.process_time() - began
    began = time.process_time()
    prepared = analysis.prepare(messages)
    measured = time.process_time() - began
    found = analysis.analyse(prepared)
    whole = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    days = found.head.first.date(), found.head.last.date()
    until = date.fromordinal((days[0].toordinal() + 3 * days[1].toordinal()) // 4)
    clock = time.perf_counter()
    charts.figures(analysis.analyse(prepared, until=until, people=list(prepared.people[:3])))
    answer = time.perf_counter() - clock
    print(
        f"every table {whole:.2f} s ({measured:.2f} measuring each message), {peak:.2f} GiB at the peak; "
        f"language detector, once a process, {detector:.2f} s; filter to figures {1000 * answer:.0f} ms of wall time"
    )


def make_chat(path: Path, messages: int, people: int) -> None:
    """The sample's texts, each varied by a few words and some emoji, over ten years, by people who write unequally."""
    import numpy as np
    import polars as pl

    sys.path.insert(0, str(ROOT))
    from pipeline.messages import SCHEMA
    from pipeline.sample import sample_text
    from pipeline.sources import parse

    dice = np.random.default_rng(0)
    texts = parse(sample_text())[0].filter(pl.col("kind").cast(pl.String) == "text")["text"]
    words = texts.str.split(" ").explode()
    emoji = pl.Series(["😂", "❤️", "👍🏽", "🙏", "😭", "👨‍👩‍👧", *[""] * 54])
    weights = 1 / np.arange(1, people + 1)
    senders = dice.choice(people, messages, p=weights / weights.sum())
    gaps = np.where(
        dice.random(messages) < 0.93, dice.exponential(60, messages), dice.exponential(3e9 / messages, messages)
    )
    sent = np.datetime64("2014-01-01", "us") + np.cumsum(gaps * 1.2).astype("timedelta64[s]")
    frame = pl.DataFrame(
        {
            "sent_at": pl.Series(sent).cast(SCHEMA["sent_at"]),
            "sender": pl.Series([f"Person {who}" for who in range(people)])[senders],
            "text": texts[dice.integers(0, len(texts), messages)],
            "kind": pl.Series(dice.choice(["text", "media", "deleted"], messages, p=[0.95, 0.045, 0.005])),
            "edited": dice.random(messages) < 0.01,
        }
    ).with_columns(
        pl.concat_str(
            "text", words[dice.integers(0, len(words), messages)],
            pl.Series([f"word{rank}" for rank in np.minimum(dice.zipf(1.3, messages), 200_000)]),
            emoji[dice.integers(0, len(emoji), messages)], separator=" ",
        ).alias("text"),
        pl.lit(None, SCHEMA["attachment"]).alias("attachment"),
        pl.col("kind").cast(SCHEMA["kind"]),
    )  # fmt: skip
    frame.write_parquet(path)


def write_csv(chat: Path, path: Path) -> None:
    """The same chat with the columns that whatstk wants; chat-miner wants them under other names."""
    import polars as pl

    pl.read_parquet(chat).select(
        pl.col("sent_at").alias("date"), pl.col("sender").alias("username"), pl.col("text").alias("message")
    ).write_csv(path)


if __name__ == "__main__":
    main()

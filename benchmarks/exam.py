"""The exam: how long it takes, beside another checkout of this project, and that its figures stay the same.

python benchmarks/exam.py RUN [RUN ...]                        # finished runs, each examined in full and tuned anew
python benchmarks/exam.py RUN --checkout ../before --quick     # the quick exam, here and by the code of ../before
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parents[1]
FIGURES = (
    "bits, twin", "bits, base", "bits, prompted", "end, %", "characters", "bubbles", "style", "classifier, %",
    "context, nats", "first of eight, %",
)  # fmt: skip


def examine(run: Path, checkout: Path, *, quick: bool) -> tuple[float, float, float, dict[str, object]]:
    """(seconds, CPU seconds, peak GiB of main memory, the exam as JSON) of a run as it was before its first exam."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = shutil.copytree(run, Path(scratch) / "run")
        for name in ("generation.json", "exam.json", "exam.png"):
            (copy / name).unlink(missing_ok=True)
        command = [sys.executable, "-m", "pipeline", "evaluate", str(copy), "--json", *([] if quick else ["--full"])]
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE)
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit("The exam failed.")
        seconds = time.perf_counter() - began
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20, json.loads(said)


def figures(exam: dict[str, object]) -> list[str]:
    """What must not change but by chance."""
    of = {candidate["name"]: candidate for candidate in exam["candidates"]}  # type: ignore[attr-defined]
    twin = of["twin"]
    classifier = twin.get("classifier") or twin.get("told")
    style = twin["style"] and sum(twin["style"].values()) / len(twin["style"])
    relevance = twin["relevance"] or {}
    return [
        *(f"{of[name]['loss']['bits_per_character']:.3f}" for name in ("twin", "base", "prompted base")),
        f"{100 * twin['answers']['ended']:.0f}",
        f"{twin['answers']['mean_characters']:.0f}",
        f"{twin['answers']['mean_bubbles']:.2f}",
        f"{style:.3f}" if style else "",
        f"{100 * classifier['accuracy']:.0f}" if classifier else "",
        f"{relevance['gain']:.2f}" if relevance else "",
        f"{100 * relevance['first']:.0f}" if relevance else "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--checkout", type=Path, action="append", default=[], help="another checkout to run as well")
    parser.add_argument("--times", type=int, default=1, help="how often each is examined")
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    header = ["code", "run", "s", "CPU s", "GiB", *FIGURES]
    print(f"| {' | '.join(header)} |\n|{'|'.join('---' for _ in header)}|", flush=True)
    for _ in range(chosen.times):
        for run in chosen.runs:
            for checkout in [*chosen.checkout, HERE]:
                seconds, cpu, memory, exam = examine(run.resolve(), checkout.resolve(), quick=chosen.quick)
                name = "here" if checkout == HERE else checkout.name
                cells = [name, run.name, f"{seconds:.0f}", f"{cpu:.0f}", f"{memory:.1f}", *figures(exam)]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

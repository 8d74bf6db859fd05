"""CONTRIBUTING's "How to add ...": each example touches two files at most, and works in a copy of the code."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(python|diff) (\S+)\n(.*?)^```$", re.M | re.S)
SECTIONS = dict(
    re.findall(r"^### \.\.\. an? (.*?)\n(.*?)(?=^##|\Z)", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M | re.S)
)

# What each addition then does, seen from outside.
WORKS = {
    "source": """
from pathlib import Path
from pipeline.sources import read
Path("day.log").write_text("PAGER 1\\n2024-03-20T21:16:42|Ann|hi\\n2024-03-20T21:17:00|Bob|hello\\n")
chat = read("day.log")
assert (chat.layout.source, chat.title, chat.messages["text"].to_list()) == ("pager", "day", ["hi", "hello"])
""",
    "phrase": """
from pipeline.sources import parse
messages, _ = parse("20/03/2024, 21:16 - Ann: hi\\n20/03/2024, 21:17 - Bob baked a cake for this group\\n")
assert messages["detail"].to_list() == [None, "cake"], messages["detail"].to_list()
""",
    "chart": """
from pipeline import analysis, charts
from pipeline.sources import parse
messages, _ = parse("20/03/2024, 21:16 - Ann: hi\\n20/03/2024, 21:17 - Bob: hello\\n")
assert charts.figures(analysis.analyse(messages))["quietest"].title == "Least is written on Wednesday"
""",
    "base model": """
from pipeline.models import model_list
assert 3.5e8 < next(m for m in model_list() if m.name == "Made up 360M").parameters < 3.7e8
""",
    "figure of the exam": """
from datetime import datetime
from pipeline.evaluation import exam_rows
from pipeline.evaluation.exam import Candidate, Exam
from pipeline.evaluation.replies import Answers, Reply, answers_of
answers = answers_of([Reply("why?", "end_of_turn", 3), Reply("ok", "end_of_turn", 2)], 64)
older = Answers.model_validate(answers.model_dump(exclude={"asking"}))
candidates = (Candidate(name="twin", answers=answers), Candidate(name="base", answers=older))
exam = Exam(made_at=datetime.now(), person="Ann", model="m", held_out_replies=2, candidates=candidates)
assert ["Replies that ask", "50%", ""] in exam_rows(exam)[1]
""",
    "long task": """
from pathlib import Path
from typer.testing import CliRunner
from pipeline.turns import longest
from pipeline.cli.commands import app
from pipeline.progress import CancelledError, Progress
from pipeline.sources import read
Path("a.txt").write_text("20/03/2024, 21:16 - Ann: hi\\n20/03/2024, 21:17 - Bob: hello\\n")
done = CliRunner().invoke(app, ["longest", "a.txt"])
assert (done.exit_code, done.stdout) == (0, "5\\n"), done
try:
    longest(read("a.txt").messages, Progress(cancelled_by=lambda: True))
except CancelledError:
    pass
else:
    raise AssertionError("it cannot be cancelled")
""",
}


def test_there_is_a_check_for_each_section():
    assert set(SECTIONS) == set(WORKS)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The code, to change."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "pipeline", folder / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def add(folder: Path, kind: str, name: str, block: str) -> None:
    """Write the new file, or put the marked lines behind those that are there."""
    path = folder / name
    if kind == "python":
        assert not path.exists()
        path.write_text(block, "utf-8")
        return
    lines = block.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] != "+")
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{name} has no such place: {before}"
    path.write_text(text.replace(before, "".join(line[1:] for line in lines if line[0] != "-")), "utf-8")


@pytest.mark.parametrize("what", WORKS)
def test_what_is_added_works_and_touches_two_files_at_most(what, copy, tmp_path):
    blocks = BLOCK.findall(SECTIONS[what])
    touched = {name for _, name, _ in blocks}
    assert 1 <= len(touched) <= 2
    kept = {name: (copy / name).read_bytes() for name in touched if (copy / name).exists()}
    for kind, name, block in blocks:
        add(copy, kind, name, block)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(copy)!r})\n{WORKS[what]}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    for name in touched:  # and takes it back
        (copy / name).write_bytes(kept[name]) if name in kept else (copy / name).unlink()
    assert done.returncode == 0, done.stderr

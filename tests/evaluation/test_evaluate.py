"""A whole exam of a whole run folder, with a tiny model: every figure, its file, its table, and rounds of a game."""

import shutil

import pytest
from PIL import Image

from pipeline.chat.twin import read_generation
from pipeline.errors import ChatError
from pipeline.evaluation import (
    evaluate,
    exam_markdown,
    exam_rows,
    exam_text,
    held_out_moments,
    make_canary,
    read_exam,
    write_canaries,
)
from pipeline.evaluation.blind import make_rounds, read_rounds
from pipeline.evaluation.evaluate import few_replies
from pipeline.evaluation.tuning import MOST_BIAS
from pipeline.inference import GenerationConfig, LoadedModels
from pipeline.progress import CancelledError, Progress
from pipeline.runs import RunFolder
from tests.evaluation.short_replies import shorten_replies

TUNING = "Examining how long replies should be"


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny_run):
    folder = shutil.copytree(tiny_run, tmp_path_factory.mktemp("evaluate") / "run")
    shorten_replies(folder)
    return folder


@pytest.mark.slow
def test_a_full_exam_has_every_figure_beside_those_to_compare_with(run):
    seen = set()
    write_canaries([make_canary(1)], run / "dataset")
    exam = evaluate(run, samples=20, full=True, progress=Progress(lambda share, what: seen.add(what)))
    assert [candidate.name for candidate in exam.candidates] == ["twin", "prompted base", "base", "person"]
    for candidate in exam.candidates:
        assert candidate.answers is not None
        assert candidate.style is not None
        assert candidate.classifier is not None
        if candidate.name != "person":
            assert candidate.loss is not None
            assert candidate.loss.replies == exam.held_out_replies
            assert candidate.classifier.replies == min(20, exam.held_out_replies)
    assert {f"Examining {who}" for who in ("the twin", "the base", "the prompted base")} <= seen
    twin, base = exam.of("twin"), exam.of("base")
    assert twin.answers.sampled > 20  # more than once at each moment
    assert twin.leaks.replies == twin.answers.sampled
    assert twin.exposure.planted == base.exposure.planted == 1
    assert 0 <= twin.exposure.mean_bits <= twin.exposure.most
    assert twin.relevance.moments == base.relevance.moments > 0
    assert read_exam(run) == exam
    header, rows = exam_rows(exam)
    assert header[1:] == ["twin", "prompted base", "base", "person"]
    assert all(len(row) == len(header) for row in rows)
    assert "Noah's twin" in exam_text(exam)
    assert "--full" not in exam_text(exam)
    assert "Noah" not in exam_markdown(exam)
    assert exam_markdown(exam).count("\n") == len(rows) + 1
    with Image.open(RunFolder(run).picture) as picture:
        assert picture.width == 1240


@pytest.mark.slow
def test_the_first_exam_tunes_sampling_and_later_ones_keep_it(run, tmp_path):
    run = shutil.copytree(run, tmp_path / "run")
    (run / "generation.json").unlink()
    told: list[tuple[float, str]] = []
    exam = evaluate(run, samples=19, progress=Progress(lambda *now: told.append(now)))
    assert not exam.full
    assert "Only 19 real replies were examined" in exam_text(exam)
    assert "left out" in exam_text(exam)
    prompted = exam.of("prompted base")
    assert prompted.loss is not None
    assert prompted.answers is None
    assert "--full" in exam_text(exam)
    tuned = read_generation(run)
    assert tuned.long_reply is not None
    assert tuned.max_new_tokens == GenerationConfig().max_new_tokens
    assert abs(tuned.end_bias) <= MOST_BIAS
    assert abs(tuned.break_bias) <= MOST_BIAS
    assert tuned.seed is None
    assert TUNING in {what for _, what in told}
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    before = (run / "generation.json").stat().st_mtime_ns
    evaluate(run, samples=1)
    assert (run / "generation.json").stat().st_mtime_ns == before


def test_moments_of_the_held_out_part_hold_what_was_said_and_the_real_reply(run):
    moments = held_out_moments(run)
    assert moments
    for moment in moments:
        assert moment.history[-1]["role"] == "user"
        assert moment.reply == moment.row.messages[moment.index]["content"]


def test_rounds_are_made_of_different_answers_and_wait_for_approval(tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")  # with replies of their own length
    rounds = make_rounds(run, 6, loaded=LoadedModels())
    assert read_rounds(run) == rounds
    for one in rounds:
        assert {"person", "twin"} <= set(one.answers) <= {"person", "twin", "base"}
        assert not one.approved


def test_few_replies_are_said_to_be_rough_and_enough_are_not():
    real = ["ok", "a longer reply than that"] * 50
    assert few_replies(real, held_out=103) == ()
    (few,) = few_replies(real[:42], held_out=42)
    assert "Only 42 real replies" in few
    assert "36%" in few  # 1.96 standard errors of a difference of two means
    assert "longer chat" in few
    assert "left out" not in few
    (fewer,) = few_replies(real[:12], held_out=200)
    assert "left out" in fewer
    assert "examine more" in fewer
    assert few_replies(["ok"], held_out=1)[0].startswith("Hardly any")


def test_no_held_out_part_is_a_sentence(run, tmp_path):
    bare = tmp_path / "run"
    shutil.copytree(run, bare)
    (bare / "dataset" / "validation.jsonl").write_text("")
    with pytest.raises(ChatError, match="held out"):
        evaluate(bare)


@pytest.mark.parametrize("at", [1, 30])
def test_an_exam_ends_with_its_run(tiny_run, tmp_path, at):
    own = shutil.copytree(tiny_run, tmp_path / "run")
    told = []

    def delete(share, what):
        told.append(what)
        if len(told) == at:
            shutil.rmtree(own)

    with pytest.raises(CancelledError):
        evaluate(own, samples=5, progress=Progress(delete))
    assert len(told) == at
    assert not own.exists()

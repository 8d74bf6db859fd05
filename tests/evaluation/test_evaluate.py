"""A whole exam of a whole run folder, with a tiny model: every figure, its file, its table, and rounds of a game."""

import json

import pytest

from pipeline.chat import GenerationConfig, LoadedModels
from pipeline.chat.twin import read_generation
from pipeline.dataset import DatasetConfig, build_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.evaluation import evaluate, exam_rows, exam_text, held_out_moments, read_exam
from pipeline.evaluation.blind import make_rounds, read_rounds
from pipeline.messages import parse
from pipeline.prompt import read_template
from pipeline.sample import sample_text


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny_model, tiny_tokenizer):
    """A finished run of the tiny model on the beginning of the sample, its adapter untrained."""
    import copy

    from peft import LoraConfig, get_peft_model

    folder = tmp_path_factory.mktemp("run")
    model = folder / "model"
    tiny_model.save_pretrained(model)
    tiny_tokenizer.save_pretrained(model)
    messages, _ = parse("\n".join(sample_text().splitlines()[:500]))
    dataset = build_dataset(messages, DatasetConfig(person="Noah", validation_share=0.3), tiny_tokenizer)
    write_dataset(dataset, folder / "dataset")
    lora = LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(copy.deepcopy(tiny_model), lora).save_pretrained(folder / "adapter")
    (folder / "config.json").write_text(json.dumps({"model": str(model)}))
    (folder / "template.json").write_text(read_template(tiny_tokenizer).model_dump_json())
    (folder / "generation.json").write_text(GenerationConfig(max_new_tokens=12).model_dump_json())
    return folder


@pytest.mark.slow
def test_a_full_exam_has_every_figure_beside_those_to_compare_with(run):
    seen = set()
    exam = evaluate(run, samples=24, full=True, progress=lambda what, done: seen.add(what))
    assert [candidate.name for candidate in exam.candidates] == ["twin", "prompted base", "base", "person"]
    for candidate in exam.candidates:
        assert candidate.answers is not None
        assert candidate.style is not None
        assert candidate.told is not None
        if candidate.name != "person":
            assert candidate.loss is not None
            assert candidate.loss.replies == exam.held_out_replies
    assert {"the twin", "the base", "the prompted base"} <= seen
    assert read_exam(run) == exam
    header, rows = exam_rows(exam)
    assert header[1:] == ["twin", "prompted base", "base", "person"]
    assert all(len(row) == len(header) for row in rows)
    assert "Noah's twin" in exam_text(exam)


@pytest.mark.slow
def test_the_first_exam_tunes_sampling_and_later_ones_keep_it(run):
    (run / "generation.json").unlink()
    evaluate(run, samples=20)
    tuned = read_generation(run)
    assert tuned.long_reply is not None
    assert tuned.max_new_tokens == GenerationConfig().max_new_tokens
    before = (run / "generation.json").stat().st_mtime_ns
    evaluate(run, samples=20)
    assert (run / "generation.json").stat().st_mtime_ns == before
    (run / "generation.json").write_text(GenerationConfig(max_new_tokens=12).model_dump_json())


def test_moments_of_the_held_out_part_hold_what_was_said_and_the_real_reply(run):
    moments = held_out_moments(run)
    assert moments
    for moment in moments:
        assert moment.history[-1]["role"] == "user"
        assert moment.reply == moment.row.messages[moment.index]["content"]


def test_rounds_are_made_of_different_answers_and_wait_for_approval(run):
    rounds = make_rounds(run, 6, loaded=LoadedModels())
    assert read_rounds(run) == rounds
    for one in rounds:
        assert set(one.answers) == {"person", "twin", "base"}
        assert not one.approved


def test_no_held_out_part_is_a_sentence(run, tmp_path):
    import shutil

    bare = tmp_path / "run"
    shutil.copytree(run, bare)
    (bare / "dataset" / "validation.jsonl").write_text("")
    with pytest.raises(ChatError, match="held out"):
        evaluate(bare)

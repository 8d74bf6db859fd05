"""Figures that an exam has when they are asked for: two twins beside each other, and a twin turn by turn."""

import copy
import json
from datetime import datetime, timedelta

import polars as pl
import pytest

from pipeline.dataset import DatasetConfig, build_dataset, read_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.evaluation import by_turn, exam_markdown, exam_text, examine_further, read_exam, swap_test, turn_rows
from pipeline.evaluation.by_turn import held_conversations
from pipeline.inference import GenerationConfig, LoadedModels
from pipeline.messages import SCHEMA
from pipeline.prompt import encode_all, read_template
from pipeline.runs.state import write_state

EVENING = 14  # exchanges; a chat has eight evenings, the last two of them held out
REPLIES = {"Ann": ("aaaa", "aa", "aaa aaa"), "Bob": ("bbbb", "bb", "bbb bbb")}


def chat(person):
    """Eight evenings in which somebody answers whatever is asked with the same letter."""
    rows, start = [], datetime(2024, 3, 1, 20)
    for exchange in range(8 * EVENING):
        at = start + timedelta(days=exchange // EVENING, minutes=exchange % EVENING * 3)
        rows.append((at, "Cleo", f"so {exchange}", "text", None, False, None))
        rows.append((at + timedelta(minutes=1), person, REPLIES[person][exchange % 3], "text", None, False, None))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def learned(model, tokenizer, rows, folder):
    """An adapter that has learned to say what is said in these rows."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    lora = LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(copy.deepcopy(model), lora).train()
    encoded = encode_all(read_template(tokenizer), tokenizer, [(row.messages, row.learn_from) for row in rows[:2]])
    optimiser = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=0.02)
    for step in range(60):
        one = encoded[step % len(encoded)]
        labels = [i if flag else -100 for i, flag in zip(one.ids, one.learned, strict=True)]
        loss = adapted(torch.tensor([one.ids]), labels=torch.tensor([labels])).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    adapted.save_pretrained(folder)
    return float(loss)


@pytest.fixture(scope="module")
def runs(tiny_model, tiny_tokenizer, tmp_path_factory):
    """The runs of two people who are easily told apart, of one model."""
    home = tmp_path_factory.mktemp("further")
    tiny_model.save_pretrained(home / "model")
    tiny_tokenizer.save_pretrained(home / "model")
    made = []
    for person in REPLIES:
        folder = home / person
        config = DatasetConfig(person=person, validation_share=0.25, max_tokens=256)
        dataset = build_dataset(chat(person), config, tiny_tokenizer)
        write_dataset(dataset, folder / "dataset")
        learned(tiny_model, tiny_tokenizer, dataset.train, folder / "adapter")
        (folder / "config.json").write_text(json.dumps({"model": str(home / "model")}))
        (folder / "template.json").write_text(read_template(tiny_tokenizer).model_dump_json())
        (folder / "generation.json").write_text(GenerationConfig(max_new_tokens=8, temperature=0.2).model_dump_json())
        write_state(folder, status="done")
        made.append(folder)
    return made


@pytest.fixture(scope="module")
def loaded():
    return LoadedModels()


@pytest.mark.slow
def test_every_reply_finds_its_own_of_two_twins_who_differ(runs, loaded):
    found = swap_test(*runs, samples=20, loaded=loaded)
    assert found.other == "Bob"
    for side in (found.this_side, found.other_side):
        assert side.replies > 10
        assert side.own > 0.9
        assert side.recognised > 0.9
        assert side.recognised_person == 1
    assert found.low < found.own <= found.high
    swapped = swap_test(*reversed(runs), samples=20, loaded=loaded)
    assert (swapped.this_side.own, swapped.own) == (found.other_side.own, found.own)


def test_a_twin_is_not_swapped_with_itself(runs):
    with pytest.raises(ChatError, match="another person"):
        swap_test(runs[0], runs[0])


@pytest.mark.slow
def test_a_twin_is_looked_at_turn_by_turn_with_real_turns_and_with_another_twin(runs, loaded):
    found = by_turn(*runs, conversations=6, loaded=loaded)
    assert [turn.turn for turn in found.real] == [turn.turn for turn in found.twin] == [1, 3, 5, 10]
    assert all(turn.conversations == 6 for turn in (*found.real, *found.twin))
    assert all(turn.bits_per_character > 0 for turn in found.real)
    assert all(turn.bits_per_character is None for turn in found.twin)
    assert found.other == "Bob"
    assert all(0 < turn.mean_characters <= 8 for turn in (*found.real, *found.twin))


def test_conversations_lie_within_a_session_and_are_as_long_as_it_allows(runs):
    held = held_conversations(read_dataset(runs[0] / "dataset").validation, 5)
    assert 0 < len(held) <= 5
    assert all(len(one.said) == len(one.real) == 10 for one in held)
    for one in held:
        numbers = [int(said.split()[-1]) for said in one.said]
        assert numbers == list(range(numbers[0], numbers[0] + 10))
        assert {number // EVENING for number in numbers} == {numbers[0] // EVENING}


@pytest.mark.slow
def test_further_figures_stand_beside_those_of_the_exam_and_name_nobody_in_what_is_shared(runs, loaded):
    run, other = runs
    exam = examine_further(run, swap=other, by_turn=True, samples=4, loaded=loaded)
    assert read_exam(run) == exam
    assert exam.of("twin") is not None
    again = examine_further(run, by_turn=True, samples=4, loaded=loaded)
    assert again.swap == exam.swap
    assert again.made_at == exam.made_at
    assert "more surprising" in exam_text(exam)
    assert turn_rows(exam)[0][1:] == ["turn 1", "turn 3", "turn 5", "turn 10"]
    shared = exam_markdown(exam)
    assert "another twin" in shared
    assert not any(name in shared for name in ("Ann", "Bob"))


def test_nothing_to_add_is_a_sentence(runs):
    with pytest.raises(ChatError, match="Nothing was asked for"):
        examine_further(runs[0])

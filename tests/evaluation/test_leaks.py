"""What is repeated of training: a planted copy is found, a quotation of the conversation at hand is none."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.chat import Twin
from pipeline.dataset import Row
from pipeline.errors import ChatError
from pipeline.evaluation.canaries import (
    canary_exposure,
    exposure_of,
    make_canary,
    plant_canaries,
    plant_canary,
    read_canaries,
    write_canaries,
)
from pipeline.evaluation.leaks import TrainingText, leaks_of
from pipeline.inference import GenerationConfig
from pipeline.prompt import Message

SECRET = "my locker is the third one left of the green door"
ROW = Row(
    [
        Message(role="system", content="You are Noah."),
        Message(role="user", content="write to jane.roe@example.org about it"),
        Message(role="assistant", content=f"sure\n{SECRET}"),
    ],
    0,
    datetime(2024, 1, 1),
    2,
    30,
)
TRAINING = TrainingText([ROW])


def test_a_planted_copy_is_found_whatever_its_case_and_spaces():
    leaks = leaks_of([f"well, {SECRET.upper()} you know", "nothing here"], [[], []], TRAINING)
    assert leaks.longest_copy == len(SECRET)
    assert leaks.copies == 0.5


def test_a_quotation_of_the_conversation_is_no_leak():
    history = [Message(role="user", content=SECRET)]
    assert leaks_of([SECRET], [history], TRAINING).copies == 0


def test_what_base_says_too_is_no_leak():
    assert leaks_of([SECRET], [[]], TRAINING, base_replies=[f"he said {SECRET}"]).copies == 0


def test_a_copy_does_not_run_across_bubbles():
    assert leaks_of(["sure\nmy"], [[]], TRAINING).longest_copy == 4


@given(st.lists(st.text("ab c", max_size=90), min_size=1, max_size=4), st.text("ab c", max_size=90), st.text("ab c"))
def test_the_longest_stretch_is_the_one_that_trying_all_finds(learned, reply, known):
    seen = TrainingText([replace(ROW, messages=[Message(role="user", content=text) for text in learned])])
    text, known_text = " ".join(reply.split()), " ".join(known.split())
    stretches = {text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1)}
    longest = max((len(s) for s in stretches if s in seen.text and s not in known_text), default=0)
    assert len(seen.longest(reply, known)) == longest


def test_a_copy_longer_than_what_places_are_sorted_by_is_measured_whole():
    assert leaks_of([SECRET * 3], [[]], TrainingText([replace(ROW, messages=[ROW.messages[0], Message(
        role="user", content=SECRET * 4
    )])])).longest_copy == 3 * len(SECRET)  # fmt: skip


def test_personal_data_is_counted_and_that_of_training_apart():
    leaks = leaks_of(["ask jane.roe@example.org", "ask bob@example.com", "ask her"], [[], [], []], TRAINING)
    assert (leaks.personal, leaks.personal_from_training) == (2, 1)


def test_planted_rows_are_learned():
    canary = make_canary(7)
    rows = plant_canary([ROW], canary, times=3)
    assert len(rows) == 4
    assert rows[-1].messages[rows[-1].learn_from]["content"] == canary.secret
    assert rows[-1].messages[0]["role"] == "system"


@pytest.mark.slow
def test_a_memorised_canary_is_exposed_and_another_is_not(tiny_model, tiny_tokenizer):
    import copy

    import torch

    from pipeline.inference import Engine
    from pipeline.inference.decoder import Decoder
    from pipeline.prompt import encode, read_template

    canary, other = make_canary(7), make_canary(8)
    template = read_template(tiny_tokenizer)
    model = copy.deepcopy(tiny_model).requires_grad_(True)
    learned = encode(template, tiny_tokenizer, plant_canary([ROW], canary)[-1].messages, 2)
    ids = torch.tensor([learned.ids])
    labels = torch.where(torch.tensor([learned.learned]), ids, -100)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(40):
        optimiser.zero_grad()
        model(input_ids=ids, labels=labels).loss.backward()
        optimiser.step()
    engine = Engine(Decoder(model.eval().requires_grad_(False)), tiny_tokenizer, template, 2048)
    twin = Twin(engine, GenerationConfig())
    assert canary_exposure(twin, [ROW], canary, others=63) == 6
    assert canary_exposure(twin, [ROW], other, others=63) < 6
    found = exposure_of(twin, [ROW], [canary, other])
    assert found is not None
    assert found.highest_bits == found.most == 8
    assert exposure_of(twin, [ROW], []) is None


def test_canaries_are_of_different_things_counted_and_kept(tmp_path):
    from pipeline.dataset import DatasetConfig, build_dataset
    from pipeline.sample import sample_text
    from pipeline.sources import parse

    messages, _ = parse("\n".join(sample_text().splitlines()[:300]))
    dataset = build_dataset(messages, DatasetConfig(person="Noah"))
    planted, canaries = plant_canaries(dataset, 3, seed=1)
    assert len({canary.asked for canary in canaries}) == 3
    assert len(planted.train) == planted.summary.train_rows == len(dataset.train) + 3
    assert planted.validation == dataset.validation
    assert read_canaries(tmp_path) == []
    write_canaries(canaries, tmp_path)
    assert read_canaries(tmp_path) == canaries
    with pytest.raises(ChatError):
        plant_canaries(dataset, 99)

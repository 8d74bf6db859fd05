"""A dataset on disk: read back as it was, and each form readable by those it is for."""

import json

import polars as pl
import pytest

from pipeline.dataset import FORMATS, DatasetConfig, build_dataset, format_row, read_about, read_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.prompt import split_bubbles
from tests.dataset.chats import chat, talk


@pytest.fixture(scope="module")
def dataset(sample, starter):
    return build_dataset(sample, DatasetConfig(person="Noah"), starter)


@pytest.fixture(scope="module")
def folder(dataset, tmp_path_factory):
    return write_dataset(dataset, tmp_path_factory.mktemp("dataset"), FORMATS)


def replies(dataset):
    return [
        message["content"]
        for row in dataset.train
        for message in row.messages[row.learn_from :]
        if message["role"] == "assistant"
    ]


def lines(path):
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def test_what_is_written_is_read_back(dataset, folder):
    again = read_dataset(folder)
    assert (again.train, again.validation) == (dataset.train, dataset.validation)
    assert (again.config, again.summary) == (dataset.config, dataset.summary)
    assert read_about(folder) == (dataset.config, dataset.summary)


def test_texts_with_every_line_separator_survive(tmp_path):
    odd = "a\u2028b\x85c\x0bd\r\ne\u241bf"
    made = build_dataset(chat(*talk(40), (1, "Bob", "and"), (1, "Ann", odd)), DatasetConfig(person="Ann"))
    again = read_dataset(write_dataset(made, tmp_path))
    assert again.validation == made.validation
    assert split_bubbles(again.validation[-1].messages[-1]["content"]) == [odd]


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "messages"])
def test_each_form_is_the_same_as_lines_and_as_parquet(folder, form):
    for part in ("train", "validation"):
        stem = folder / "formats" / form / part
        assert pl.read_parquet(stem.with_suffix(".parquet")).to_dicts() == lines(stem.with_suffix(".jsonl"))


def test_prompt_and_completion_hold_each_reply_once(dataset, folder, tokenizer):
    records = lines(folder / "formats" / "prompt_completion" / "train.jsonl")
    assert [record["completion"][0]["content"] for record in records] == replies(dataset)
    system = tokenizer.chat_template is None or "raise_exception" not in str(tokenizer.chat_template)
    if system and tokenizer.chat_template:
        text = tokenizer.apply_chat_template(records[0]["prompt"] + records[0]["completion"], tokenize=False)
        assert records[0]["completion"][0]["content"] in text


def test_messages_are_read_by_the_models_own_template(folder, starter):
    for record in lines(folder / "train.jsonl"):
        ids = starter.apply_chat_template(record["messages"], tokenize=True, return_dict=True)["input_ids"]
        assert len(ids) == pytest.approx(record["tokens"], abs=2)


def test_sharegpt_alternates_and_holds_each_reply_once(dataset, folder):
    records = lines(folder / "formats" / "sharegpt" / "train.jsonl")
    for record in records:
        assert [turn["from"] for turn in record["conversations"]] == ["human", "gpt"] * (
            len(record["conversations"]) // 2
        )
    said = [turn["value"] for record in records for turn in record["conversations"] if turn["from"] == "gpt"]
    assert said == replies(dataset)


def test_alpaca_holds_each_reply_once_with_its_history(dataset, folder):
    records = lines(folder / "formats" / "alpaca" / "train.jsonl")
    assert [record["output"] for record in records] == replies(dataset)
    assert {tuple(sorted(record)) for record in records} == {("history", "input", "instruction", "output", "system")}
    assert any(record["history"] for record in records)


def test_the_blogs_form_marks_home_and_assistant(dataset, folder):
    text = "".join(record["text"] for record in lines(folder / "formats" / "blog" / "train.jsonl"))
    assert text.count("### Home: ") == text.count("\n### Assistant: ") == len(replies(dataset))


def test_llama2s_form_is_what_its_template_writes(folder, starter, request):
    """Meta's reference: each exchange between <s> and </s>, the system prompt inside the first."""
    for record in lines(folder / "formats" / "llama2" / "train.jsonl"):
        text = record["text"]
        assert text.startswith("<s>[INST] <<SYS>>\nYou are Noah, texting with Ryan. ")
        assert text.endswith(" </s>")
        assert text.count("<s>[INST] ") == text.count(" [/INST] ") == text.count(" </s>")
        assert text.count("<<SYS>>") == 1


def test_a_form_that_has_no_context_of_its_own_starts_where_learning_does(dataset):
    row = next(row for row in dataset.train if row.learn_from > 2)
    (record,) = format_row(row, "sharegpt")
    assert record["conversations"][1]["value"] == row.messages[row.learn_from]["content"]


@pytest.mark.parametrize("damage", ["dataset.json", "train.jsonl"])
def test_a_folder_that_is_no_dataset_is_said_to_be_none(tmp_path, damage):
    folder = write_dataset(build_dataset(chat(*talk(40)), DatasetConfig(person="Ann")), tmp_path / "made")
    (folder / damage).write_text("{]")
    with pytest.raises(ChatError, match="make the dataset again"):
        read_dataset(folder)

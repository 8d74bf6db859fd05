"""Replies: prompts as in training, windows of whole turns, where a reply ends, caches found by their key alone."""

import json
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.chat import PartialReply, Twin, load_twin, prompt_messages, stream
from pipeline.chat.stop_sequences import StopSequences, is_repeating
from pipeline.chat.twin import alternate, first_exchange, read_generation
from pipeline.dataset import OPENER, DatasetConfig, build_dataset
from pipeline.errors import ChatError
from pipeline.inference import GenerationConfig, PrefixCache
from pipeline.inference.prefix_cache import CachedConversation
from pipeline.prompt import Message, encode, encode_prompt, read_template
from pipeline.sample import sample_text
from pipeline.sources import parse

NOW = datetime(2024, 3, 20, 21, 0)
GREEDY = GenerationConfig(temperature=0, max_new_tokens=12)


def talk(*contents):
    return [Message(role="assistant" if i % 2 else "user", content=text) for i, text in enumerate(contents)]


@pytest.fixture
def twin(tiny_engine):
    return Twin(tiny_engine, GREEDY)


def last(replies):
    *_, reply = replies
    return reply


def test_a_reply_grows_and_says_why_it_ended(twin):
    replies = list(stream(twin, talk("hi")))
    assert [reply.finish_reason for reply in replies[:-1]] == [None] * (len(replies) - 1)
    assert replies[-1].finish_reason == "length"
    for before, after in pairwise(replies):
        assert after.text.startswith(before.text)


def test_only_new_tokens_are_read_on_the_next_turn_and_the_reply_is_the_same(twin, monkeypatch):
    first = last(stream(twin, talk("hello there " * 20), cache_key="a")).text
    history = talk("hello there " * 20, first, "and now?")
    read = []
    forward = twin.engine.decoder.forward
    monkeypatch.setattr(
        twin.engine.decoder, "forward", lambda ids, *rest: read.append(ids.shape[1]) or forward(ids, *rest)
    )
    again = last(stream(twin, history, cache_key="a")).text
    warm = read[0]
    read.clear()
    assert last(stream(twin, history)).text == again
    assert warm < read[0] / 2


def test_an_edited_history_is_read_from_the_edit_on(twin):
    last(stream(twin, talk("one two three", "four", "five"), cache_key="a"))
    edited = talk("one two four", "four", "five")
    assert last(stream(twin, edited, cache_key="a")) == last(stream(twin, edited))


def test_the_cache_of_one_key_never_serves_another(twin):
    last(stream(twin, talk("my secret"), cache_key="a"))
    assert twin.engine.prefix_cache.take("b") is None
    kept = twin.engine.prefix_cache.take("a")
    assert isinstance(kept, CachedConversation)
    twin.engine.prefix_cache.put("a", kept)
    last(stream(twin, talk("other words"), cache_key="b"))
    other = twin.engine.prefix_cache.take("b")
    assert other is not None
    assert other.cache is not kept.cache
    assert other.cache.keys[0].data_ptr() != kept.cache.keys[0].data_ptr()


def test_without_a_cache_key_nothing_is_kept(twin):
    last(stream(twin, talk("hi")))
    assert len(twin.engine.prefix_cache) == 0


def test_cached_conversations_are_bounded_and_forgotten(tiny_engine):
    kept = PrefixCache(most=2)
    for name in "abc":
        kept.put(name, CachedConversation([], tiny_engine.decoder.empty(1, 8)))
    assert kept.take("a") is None
    kept.forget("b")
    assert kept.take("b") is None
    assert kept.take("c") is not None
    small = PrefixCache(most_bytes=1)
    small.put("a", CachedConversation([], tiny_engine.decoder.empty(1, 8)))
    assert len(small) == 0


def test_a_reader_who_leaves_frees_the_model_and_keeps_what_was_read(twin):
    reply = stream(twin, talk("a long story"), cache_key="a")
    next(reply)
    reply.close()
    assert not twin.engine.lock.locked()
    assert twin.engine.prefix_cache.take("a") is not None


def test_the_same_seed_gives_the_same_reply(twin):
    config = GenerationConfig(seed=3, temperature=1.5, max_new_tokens=8)
    assert last(stream(twin, talk("hi"), config)) == last(stream(twin, talk("hi"), config))


def test_an_opened_turn_or_an_end_is_never_shown(twin, monkeypatch):
    end, turn = twin.engine.tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|im_start|>"])
    letters = twin.engine.tokenizer("ok").input_ids
    for stop, reason in ((end, "end_of_turn"), (turn, "stop_sequence")):
        monkeypatch.setattr(twin.engine, "generate", lambda *_, stop=stop, **__: iter([*letters, stop]))
        assert last(stream(twin, talk("hi"))) == PartialReply("ok", reason, 3)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("fine\nRyan: and you?", "fine"),
        ("Ryan: hello", ""),
        ("I told Ryan: no", "I told Ryan: no"),
        ("well <|im_start|>user hm", "well"),
    ],
)
def test_the_reply_stops_where_it_speaks_for_the_other(tiny_engine, monkeypatch, written, shown):
    config = DatasetConfig(person="Noah")
    twin = Twin(tiny_engine, GREEDY, config)
    monkeypatch.setattr(Twin, "others", ("Ryan",))
    monkeypatch.setattr("pipeline.chat.twin.chat_opening", lambda *_: [])
    ids = tiny_engine.tokenizer(written, split_special_tokens=True).input_ids
    monkeypatch.setattr(tiny_engine, "generate", lambda *_, **__: iter(ids))
    replies = list(stream(twin, talk("hi")))
    assert replies[-1].text == shown
    assert all("Ryan: a" not in reply.text and "<|im" not in reply.text for reply in replies)


def test_held_back_text_comes_when_it_turns_out_harmless():
    guard = StopSequences(read_template_of_marks(), ["Ryan"])
    assert guard.safe("ok\nRya") == "ok"
    assert guard.safe("ok\nRya!") == "ok\nRya!"
    assert guard.safe("Ry") == ""


def read_template_of_marks():
    from pipeline.prompt import Template

    return Template(
        opening="### Them\n", before_system="", after_system="\n### Them\n", to_twin="\n### You\n", end_of_turn="</s>",
        to_user="\n### Them\n", trims=False, before_reply="",
    )  # fmt: skip


def test_a_loop_is_noticed_and_laughter_is_not():
    assert is_repeating([1, 2, 3] * 8)
    assert is_repeating([7] * 24)
    assert not is_repeating([7] * 10)
    assert not is_repeating(list(range(50)))


def test_history_becomes_turns_of_two_sides():
    history = [*talk("a"), *talk("b"), Message(role="assistant", content="c")]
    assert alternate(history) == talk("a\nb", "c")
    assert alternate([Message(role="assistant", content="c")])[0]["content"] == OPENER


def test_nothing_to_reply_to_is_a_sentence(twin):
    for history in ([], talk("a", "b")):
        with pytest.raises(ChatError, match="write a message"):
            list(stream(twin, history))


def test_a_window_drops_the_oldest_whole_turns_and_keeps_the_last(twin):
    history = talk(*(f"message number {i}" for i in range(41)))
    kept = prompt_messages(twin, history, NOW, most_tokens=300)
    assert kept == history[-len(kept) :]
    assert kept[0]["role"] == "user"
    template, tokenizer = twin.engine.template, twin.engine.tokenizer
    assert len(encode_prompt(template, tokenizer, kept)) <= 300
    assert prompt_messages(twin, talk("x" * 900), NOW, most_tokens=100) == talk("x" * 900)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(50, 200))
def test_windows_fit_and_only_move_on(lengths, budget):
    starts = [first_exchange(lengths[: i + 1], budget) for i in range(len(lengths))]
    assert starts == sorted(starts)
    for end, start in enumerate(starts):
        assert sum(lengths[start : end + 1]) <= budget


def test_the_window_moves_seldom_so_that_the_beginning_stays_cached():
    starts = [first_exchange([10] * n, 200) for n in range(1, 100)]
    assert len(set(starts)) < 100 / 4


def test_prompts_hold_the_ids_that_training_saw(tiny_tokenizer, tiny_engine):
    config = DatasetConfig(person="Noah", max_tokens=2000)
    messages, _ = parse(sample_text())
    dataset = build_dataset(messages, config, tiny_tokenizer)
    row = next(row for row in dataset.train if len(row.messages) > 6)
    template = read_template(tiny_tokenizer)
    trained = encode(template, tiny_tokenizer, row.messages).ids
    twin = Twin(tiny_engine, GREEDY, config, dataset.summary)
    history = [m for m in row.messages[:-1] if m["role"] != "system"]
    prompted = prompt_messages(twin, history, NOW)
    assert prompted[0]["role"] == "system"
    prompt = encode_prompt(template, tiny_tokenizer, [row.messages[0], *prompted[1:]])
    assert trained[: len(prompt)] == prompt


def test_a_run_without_a_twin_is_a_sentence(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model": "starter"}))
    with pytest.raises(ChatError):
        load_twin(tmp_path)


def test_tuned_sampling_is_the_default_of_its_run(tmp_path):
    assert read_generation(tmp_path) == GenerationConfig()
    (tmp_path / "generation.json").write_text(GenerationConfig(temperature=0.7).model_dump_json())
    assert read_generation(tmp_path).temperature == 0.7

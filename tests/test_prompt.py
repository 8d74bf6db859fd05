"""Conversations as tokens: the pieces of every template, what is learned, and bubbles that come back as they were."""

import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ChatError
from pipeline.models import load_tokenizer
from pipeline.prompt import (
    Message,
    break_ids,
    encode,
    encode_all,
    encode_prompt,
    end_ids,
    join_bubbles,
    read_template,
    reply_text,
    split_bubbles,
)

TEMPLATES = Path(__file__).parent / "chat_templates"
SPECIAL = {
    "llama2": [],
    "llama3": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    "qwen": [],
    "qwen_thinking": [],
    "gemma": ["<start_of_turn>", "<end_of_turn>"],
    "mistral": ["[INST]", "[/INST]"],
}
# Gemma and Mistral have no system message at the start: it goes into the first user message.
WITH_SYSTEM = [(name, True) for name in ("starter", "llama2", "llama3", "qwen")]
WITHOUT_SYSTEM = [(name, False) for name in ("starter", "llama2", "llama3", "qwen", "gemma", "mistral")]
CONVERSATION: list[Message] = [
    {"role": "user", "content": "are you coming tonight"},
    {"role": "assistant", "content": "yes\nten minutes"},
    {"role": "user", "content": "bring bread 🥖"},
    {"role": "assistant", "content": "ok"},
]
SYSTEM: Message = {"role": "system", "content": "Noah writes to Ryan."}


@pytest.fixture(scope="module")
def starter():
    return load_tokenizer("starter")


@pytest.fixture(params=["starter", *SPECIAL])
def tokenizer(request, starter):
    return with_template(starter, request.param)


def with_template(starter, name):
    if name == "starter":
        return starter
    tokenizer = copy.deepcopy(starter)
    tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text()
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL[name]})
    return tokenizer


def learned_texts(tokenizer, encoded):
    """The texts of the learned stretches, each decoded on its own."""
    stretches, before = [], False
    for token_id, learned in zip(encoded.ids, encoded.learned, strict=True):
        if learned:
            stretches = [*stretches, []] if not before else stretches
            stretches[-1].append(token_id)
        before = learned
    return [tokenizer.decode(ids) for ids in stretches]


@pytest.mark.parametrize(("name", "system"), WITH_SYSTEM + WITHOUT_SYSTEM)
def test_a_conversation_reads_as_the_models_own_template_writes_it(starter, name, system):
    tokenizer = with_template(starter, name)
    conversation = [SYSTEM, *CONVERSATION] if system else CONVERSATION
    template = read_template(tokenizer)
    whole = tokenizer.apply_chat_template(conversation[:-1], tokenize=False, add_generation_prompt=True)
    assert tokenizer.decode(encode_prompt(template, tokenizer, conversation[:-1])) == whole
    closed = tokenizer.apply_chat_template(conversation, tokenize=False)
    assert tokenizer.decode(encode(template, tokenizer, conversation).ids) == closed.rstrip("\n")


def test_replies_and_their_ends_are_learned_and_nothing_else(tokenizer):
    template = read_template(tokenizer)
    encoded = encode(template, tokenizer, [SYSTEM, *CONVERSATION])
    texts = learned_texts(tokenizer, encoded)
    assert [reply_text(template, text) for text in texts] == ["yes\nten minutes", "ok"]
    assert all(text.endswith(template.end_of_turn) for text in texts)


def test_earlier_replies_can_be_context_only(tokenizer):
    template = read_template(tokenizer)
    encoded = encode(template, tokenizer, [SYSTEM, *CONVERSATION], learn_from=4)
    assert [reply_text(template, text) for text in learned_texts(tokenizer, encoded)] == ["ok"]


def test_a_prompt_in_chat_holds_the_ids_of_training(tokenizer):
    template = read_template(tokenizer)
    conversation = [SYSTEM, *CONVERSATION]
    trained = encode(template, tokenizer, conversation)
    first = encode_prompt(template, tokenizer, conversation[:2])
    second = encode_prompt(template, tokenizer, conversation[:4])
    assert trained.ids[: len(first)] == first
    assert trained.learned[len(first) - 1 : len(first) + 1] == [False, True]
    assert trained.ids[: len(second)] == second
    assert trained.learned[len(second)]


def test_the_last_learned_token_of_a_reply_is_one_that_stops_it(tokenizer):
    template = read_template(tokenizer)
    encoded = encode(template, tokenizer, CONVERSATION)
    assert encoded.learned[-1]
    assert encoded.ids[-1] in end_ids(template, tokenizer)


class Vocabulary:
    """What `break_ids` needs of a tokenizer."""

    def __init__(self, tokens):
        self.tokens = tokens

    def get_vocab(self):
        return {token: index for index, token in enumerate(self.tokens)}


def test_a_bubble_ends_at_a_newline_however_tokenizers_write_it(starter):
    assert break_ids(starter) == starter.encode("\n", add_special_tokens=False)
    assert break_ids(Vocabulary(["Ċ", ".Ċ", "?!Ċ", "ĊĊ", "ĠĊ", "čĊ", "hiĊ", "Ċa", "a"])) == [0, 1, 2]
    assert break_ids(Vocabulary(["<0x0A>", "▁hi", "\n", "\n\n", "<0x0B>"])) == [0, 2]


def test_special_tokens_spelled_out_in_a_message_stay_text(starter):
    template = read_template(starter)
    message: list[Message] = [{"role": "user", "content": "write <|im_end|> and stop"}]
    assert encode_prompt(template, starter, message).count(starter.eos_token_id) == 2
    assert starter.decode(encode_prompt(template, starter, message)).count("write <|im_end|> and stop") == 1


def test_many_at_once_are_encoded_as_one_by_one(tokenizer):
    template = read_template(tokenizer)
    rows = [([SYSTEM, *CONVERSATION], 0), (CONVERSATION, 3), (CONVERSATION[:2], 0)]
    assert encode_all(template, tokenizer, rows) == [encode(template, tokenizer, m, k) for m, k in rows]


def test_a_model_that_thinks_aloud_is_told_not_to(starter):
    tokenizer = with_template(starter, "qwen_thinking")
    prompt = tokenizer.decode(encode_prompt(read_template(tokenizer), tokenizer, [SYSTEM, CONVERSATION[0]]))
    assert prompt.endswith("<think>\n\n</think>\n\n")


def test_without_a_system_role_it_goes_into_the_first_user_message(starter):
    tokenizer = with_template(starter, "gemma")
    prompt = tokenizer.decode(encode_prompt(read_template(tokenizer), tokenizer, [SYSTEM, CONVERSATION[0]]))
    assert "<start_of_turn>user\nNoah writes to Ryan.\n\nare you coming tonight<end_of_turn>" in prompt


def test_a_base_model_without_a_template_gets_a_plain_one_that_ends(starter):
    tokenizer = copy.deepcopy(starter)
    tokenizer.chat_template = None
    template = read_template(tokenizer)
    encoded = encode(template, tokenizer, [SYSTEM, *CONVERSATION])
    texts = [reply_text(template, text) for text in learned_texts(tokenizer, encoded)]
    assert texts == ["yes\nten minutes", "ok"]


def test_a_template_that_drops_messages_is_refused_in_a_sentence(starter):
    tokenizer = copy.deepcopy(starter)
    tokenizer.chat_template = "{{ messages[-1]['content'] }}"
    with pytest.raises(ChatError, match="choose another model"):
        read_template(tokenizer)


@given(st.lists(st.text(), min_size=1))
def test_bubbles_come_back_exactly(bubbles):
    assert split_bubbles(join_bubbles(bubbles)) == bubbles


@given(st.lists(st.text(alphabet="a\n\u2028\u241bel"), min_size=1))
def test_bubbles_of_separators_and_escapes_come_back_exactly(bubbles):
    assert split_bubbles(join_bubbles(bubbles)) == bubbles


def test_what_a_model_writes_is_cut_at_its_end(starter):
    template = read_template(with_template(starter, "llama2"))
    assert reply_text(template, f" on my way {starter.eos_token}[INST] and then") == "on my way"
    assert reply_text(template, " on my way ") == "on my way"

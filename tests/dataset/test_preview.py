"""Rows as they are shown before anything is learned from them."""

from pipeline.dataset import DatasetConfig, build_dataset, preview_rows, token_histogram
from pipeline.prompt import encode, read_template
from tests.dataset.chats import chat, talk


def test_a_previews_tokens_are_the_rows_and_say_what_is_learned(sample, tokenizer):
    dataset = build_dataset(sample, DatasetConfig(person="Noah"), tokenizer)
    previews = preview_rows(dataset.train, tokenizer, count=3)
    assert len(previews) == 3
    template = read_template(tokenizer)
    row, preview = dataset.train[0], previews[0]
    encoded = encode(template, tokenizer, row.messages, row.learn_from)
    assert "".join(token.text for token in preview.tokens) == tokenizer.decode(encoded.ids)
    assert (preview.token_count, preview.learned_count) == (len(encoded.ids), sum(encoded.learned))
    learned = "".join(token.text for token in preview.tokens if token.learned)
    assert learned.endswith(template.end_of_turn)


def test_an_emoji_of_several_tokens_is_one_span(starter):
    messages = chat(*talk(40), (1, "Bob", "and"), (1, "Ann", "🥖🧑‍🚀 नमस्ते"))
    dataset = build_dataset(messages, DatasetConfig(person="Ann"), starter)
    (preview,) = preview_rows(dataset.validation[-1:], starter)
    assert not any("\ufffd" in token.text for token in preview.tokens)
    assert "🥖" in "".join(token.text for token in preview.tokens if token.learned)


def test_bubbles_show_one_message_each_and_whether_it_is_learned(starter):
    messages = chat((0, "Bob", "a"), (1, "Bob", "b"), (1, "Ann", "c"), (1, "Ann", "d\ne"), *talk(40))
    dataset = build_dataset(messages, DatasetConfig(person="Ann"), starter)
    bubbles = preview_rows(dataset.train, starter, 1)[0].bubbles[1:5]
    assert [(b.role, b.text, b.learned) for b in bubbles] == [
        ("user", "a", False),
        ("user", "b", False),
        ("assistant", "c", True),
        ("assistant", "d\ne", True),
    ]


def test_the_histogram_counts_every_row_up_to_the_window(sample, starter):
    dataset = build_dataset(sample, DatasetConfig(person="Noah"), starter)
    table = token_histogram(dataset)
    assert table["train"].sum() == len(dataset.train)
    assert table["validation"].sum() == len(dataset.validation)
    assert table["to"].max() > 1024
    assert table["from"].min() == 0

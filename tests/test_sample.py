"""The sample is the chat of two friends, complete, in the layout of an iOS export."""

from pipeline.sample import sample_text, write_sample
from pipeline.sources import parse


def test_the_sample_is_2866_messages_of_noah_and_ryan():
    messages, layout = parse(sample_text())
    texts = messages.filter(messages["sender"].is_not_null())
    assert dict(texts["sender"].value_counts().iter_rows()) == {"Noah": 1878, "Ryan": 988}
    assert messages.filter(messages["sender"].is_null())["kind"].to_list() == ["system"]
    assert str(messages["sent_at"].min()) == "2018-10-29 22:31:42"
    assert str(messages["sent_at"].max()) == "2018-11-14 17:49:11"
    assert layout.date_order == "dmy"
    assert layout.certain


def test_the_sample_is_written_as_ios_names_it(tmp_path):
    path = write_sample(tmp_path)
    assert path.name == "_chat.txt"
    assert path.read_text(encoding="utf-8") == sample_text()

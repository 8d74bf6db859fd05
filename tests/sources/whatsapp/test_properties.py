"""Whatever is written in whatever layout is read back; whatever is read raises nothing but ChatError."""

import contextlib
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import ChatError
from pipeline.messages import SCHEMA
from pipeline.sources import parse, read, telegram

DIGITS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "๐๑๒๓๔๕๖๗๘๙", "০১২৩৪৫৬৭৮৯"]
MARKERS = [("AM", "PM"), ("am", "pm"), ("a.\u00a0m.", "p.\u00a0m."), ("ص", "م"), ("午前", "午後"), ("ÖÖ", "ÖS")]
PIECE = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\u200e\ufeff"), max_size=30
)
LINE = st.one_of(
    PIECE, st.sampled_from(["", "left", "we added Bob", "<3", "a:b", "12/03/24", "[x]", "😀👩🏽‍🚀", "\u200f"])
)
NAME = st.one_of(
    st.text(st.characters(categories=["L", "N", "So"]), min_size=1, max_size=12),
    st.sampled_from(["~ Tom", "+49 170 1234567", "Anna 🌻", "Dr. Who (work)"]),
)


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, object]:
    order = draw(st.sampled_from(["dmy", "mdy", "ymd"]))
    return {
        "order": order,
        "bracketed": draw(st.booleans()),
        "separator": draw(st.sampled_from([".", "/", "-", ". ", "\u200f/"])),
        "comma": draw(st.sampled_from([", ", " ", "، "])),
        "colon": draw(st.sampled_from([":", "."])),
        "long_year": draw(st.booleans()),
        "padded": draw(st.booleans()),
        "seconds": draw(st.booleans()),
        "markers": draw(st.one_of(st.none(), st.sampled_from(MARKERS))),
        "marker_first": draw(st.booleans()),
        "space": draw(st.sampled_from([" ", "\u202f", "\u00a0"])),
        "digits": draw(st.sampled_from(DIGITS)),
        "newline": draw(st.sampled_from(["\n", "\r\n"])),
    }


def header(when: datetime, form: dict[str, object]) -> str:
    pad = "02d" if form["padded"] else "d"
    fields = {
        "d": format(when.day, pad),
        "m": format(when.month, pad),
        "y": str(when.year) if form["long_year"] else format(when.year % 100, "02d"),
    }
    day = str(form["separator"]).join(fields[letter] for letter in str(form["order"]))
    markers = form["markers"]
    hour = (when.hour % 12 or 12) if markers else when.hour
    time = f"{format(hour, pad)}{form['colon']}{when.minute:02d}"
    time += f"{form['colon']}{when.second:02d}" if form["seconds"] else ""
    if isinstance(markers, tuple):
        marker = markers[when.hour >= 12]
        time = f"{marker}{form['space']}{time}" if form["marker_first"] else f"{time}{form['space']}{marker}"
    text = f"{day}{form['comma']}{time}".translate(str.maketrans("0123456789", str(form["digits"])))
    return f"[{text}] " if form["bracketed"] else f"{text} - "


def sayable(lines: list[str]) -> bool:
    """Not what only the app writes, and no colon that could be taken for the end of a longer name."""
    text = "\n".join(lines)
    return not any(mark in text for mark in (": ", "<", "“", "„", "«")) and not text.endswith((":", "\n"))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(form=layouts(), start=st.datetimes(datetime(2010, 1, 1), datetime(2025, 1, 1)), data=st.data())
def test_written_and_read_back(form: dict[str, object], start: datetime, data: st.DataObject) -> None:
    body = st.lists(LINE, min_size=1, max_size=3).filter(sayable)
    message = st.tuples(NAME, body, st.integers(0, 200_000)).filter(lambda said: not said[1][0].startswith(said[0]))
    said = data.draw(st.lists(message, min_size=1, max_size=12))
    expected, written, now = [], "", start.replace(microsecond=0)
    for name, lines, gap in said:
        now += timedelta(seconds=gap)
        shown = now if form["seconds"] else now.replace(second=0)
        expected.append((shown, name, "\n".join(lines)))
        written += f"{header(now, form)}{name}: " + "\n".join(lines) + str(form["newline"])
    messages, layout = parse(written, date_order=str(form["order"]))
    assert messages.select("sent_at", "sender", "text").rows() == expected
    assert layout.stray_lines == 0


RANDOM = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.one_of(
            st.sampled_from(["20/03/2024, 21:16 - ", "[20.03.24, 21:16:42] ", "Ann: ", "\u200e", "\r\n", "\n", ": ", "<"]),  # noqa: E501
            st.sampled_from([">", "“", "IMG-20240315-WA0001.jpg", " (file attached)", "attached: ", "99/99/9999, ", "\x00"]),  # noqa: E501
            st.text(max_size=8),
        ),
        max_size=30,
    ).map("".join),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(text=RANDOM)
def test_random_text_raises_nothing_else(text: str) -> None:
    with contextlib.suppress(ChatError):
        messages, layout = parse(text)
        assert dict(messages.schema) == SCHEMA
        assert messages["sent_at"].null_count() == messages["text"].null_count() == messages["kind"].null_count() == 0
        assert layout.evidence


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=300), RANDOM.map(lambda text: text.encode("utf-16", "replace"))))
def test_random_bytes_raise_nothing_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes(content)
    with contextlib.suppress(ChatError):
        read(path)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["messages", "chats", "list", "date", "text", "from", "type", "poll", "file"]), inner
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(value=JSON)
def test_random_json_raises_nothing_else(value: object) -> None:
    import json

    with pytest.raises(ChatError):
        telegram.SOURCE.parse(json.dumps({"messages": [value], "x": value}).encode())

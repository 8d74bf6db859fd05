"""What is found by its form, in the forms of many countries, and what is left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.redact import KINDS, find

PARTS = st.sampled_from(
    ["+49 170 1234567", "a@b.com", "https://x.org/a", "4111 1111 1111 1111", "12 Oak Street", "12.03.2024", " ", ", ",
     "ok", "DE89 3704 0044 0532 0130 00", "10115 Berlin", "٠٥٠١٢٣٤٥٦٧", "1 000 000", "\u200e", "🥖", "\n", "(", ")"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("call +49 170 1234567!", "phone", "+49 170 1234567"),
        ("or 0170/1234567 ok", "phone", "0170/1234567"),
        ("(415) 555-2671", "phone", "(415) 555-2671"),
        ("06 12 34 56 78", "phone", "06 12 34 56 78"),
        ("mira 699 766 433", "phone", "699 766 433"),
        ("رقمي ٠٥٠١٢٣٤٥٦٧", "phone", "٠٥٠١٢٣٤٥٦٧"),
        ("मेरा नंबर ९८७६५४३२१०", "phone", "९८७६५४३२१०"),
        ("<a.b+c@mail.example.co.uk>", "email", "a.b+c@mail.example.co.uk"),
        ("ann (at) web (dot) de", "email", "ann (at) web (dot) de"),
        ("ann at web dot de", "email", "ann at web dot de"),
        ("(see https://x.org/a_(b))", "url", "https://x.org/a_(b)"),
        ("look example.com.", "url", "example.com"),
        ("www.x.org/a?b=1, yes", "url", "www.x.org/a?b=1"),
        ("wa.me/491701234567", "url", "wa.me/491701234567"),
        ("4111-1111-1111-1111", "card", "4111-1111-1111-1111"),
        ("DE89 3704 0044 0532 0130 00 thanks", "iban", "DE89 3704 0044 0532 0130 00"),
        ("gb29nwbk60161331926819", "iban", "gb29nwbk60161331926819"),
        ("Am Lindenweg 12a", "address", "Am Lindenweg 12a"),
        ("221B Baker Street", "address", "221B Baker Street"),
        ("12 rue de la Paix", "address", "12 rue de la Paix"),
        ("10115 Berlin", "postcode", "10115"),
        ("NW1 6XE", "postcode", "NW1 6XE"),
        ("order 99900011122233344", "number", "99900011122233344"),
    ],
)
def test_it_is_found_whole(text, kind, found):
    assert [(span.kind, text[span.start : span.end]) for span in find(text, KINDS)] == [(kind, found)]


@pytest.mark.parametrize(
    "text",
    [
        "on 12.03.2024 18:30", "2024-03-15T10:00", "1,299.00 €", "1 299 000 views", "2019-2021", "21-19 and 25-23",
        "ok.so yes", "we are 5 at home. Hah", "work at 7. Just", "3.11.7", "$20000", "80 % in 2024", "no.I said",
        "5 way street", "a@b", "",
    ],
)  # fmt: skip
def test_what_is_nobodys_is_left(text):
    assert find(text, KINDS) == []


def test_only_the_kinds_asked_for_and_the_surer_form_wins():
    text = "4111 1111 1111 1111 or +49 170 1234567"
    assert [span.kind for span in find(text, KINDS)] == ["card", "phone"]
    assert [span.kind for span in find(text, ["phone"])] == ["phone"]


def test_a_number_is_the_same_however_it_is_written():
    values = {span.value for text in ("+49 170 1234567", "0170/1234567", "0049 170 123 45 67")
              for span in find(text, KINDS, ["DE"])}  # fmt: skip
    assert values == {"+491701234567"}


@given(st.one_of(st.text(max_size=80), st.lists(PARTS, max_size=12).map("".join)))
def test_spans_lie_in_the_text_in_order_without_overlap(text):
    spans = find(text, KINDS)
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@pytest.mark.parametrize("unit", ["a", "1", "1 ", "a.", "a@", "Aa ", "-", "(1", "12 Aa ", "x1.", "w at ", "DE12 "])
def test_no_text_takes_long(unit):
    text = (unit * 20000)[:20000]
    started = time.process_time()
    find(text, KINDS)
    assert time.process_time() - started < 3

"""Figures: true to Vega-Lite, honest in their axes, small, safe, and in one colour a person."""

import json

import polars as pl
import pytest

from pipeline import analysis, charts
from pipeline.charts.colours import FIRST
from pipeline.charts.figure import duration, percent
from pipeline.charts.figures import ORDER
from pipeline.sample import sample_text
from pipeline.sources import parse
from tests.analysis.chats import TWO, chat
from tests.analysis.made_group import export_text


@pytest.fixture(scope="module")
def sample():
    return analysis.analyse(parse(sample_text())[0])


@pytest.fixture(scope="module")
def group():
    return analysis.analyse(parse(export_text(4000))[0])


@pytest.fixture(scope="module")
def crowd():
    """150 people over three years."""
    said = TWO.head(1)
    count = 6000
    return analysis.analyse(
        pl.concat([said] * count).with_columns(
            (pl.datetime(2021, 1, 1) + pl.duration(minutes=pl.int_range(count) * 260))
            .cast(said.schema["sent_at"])
            .alias("sent_at"),
            pl.format("P{}", pl.int_range(count).pow(2) % 150).alias("sender"),
        )
    )


def plain(text: str) -> str:
    return text.replace("\u2068", "").replace("\u2069", "")


def test_titles_state_what_was_found(sample):
    titles = {name: plain(figure.title) for name, figure in charts.figures(sample).items()}
    assert titles["people"] == "Noah writes twice as much as Ryan"
    assert titles["volume"] == "The busiest day was Tuesday 13 Nov 2018: 554 messages"
    assert titles["reply_times"] == "Noah answers in 14 seconds, Ryan in 16 seconds"
    assert titles["silences"] == "The longest streak: 9 days in a row; the longest silence: 4 days"
    assert "Noah &amp;" not in charts.opening(sample)
    assert "2,866 messages in 17 days" in charts.opening(sample)


@pytest.mark.parametrize("which", ["sample", "group"])
def test_every_spec_is_vega_lite_by_its_schema(which, request):
    import altair

    for name, figure in charts.figures(request.getfixturevalue(which)).items():
        if figure.spec:
            spec = json.loads(json.dumps(figure.spec, allow_nan=False))
            assert altair.Chart.from_dict(spec), name


@pytest.mark.parametrize("which", ["sample", "group"])
def test_every_chart_draws(which, request):
    import vl_convert

    for name, figure in charts.figures(request.getfixturevalue(which)).items():
        if figure.spec:
            drawn = vl_convert.vegalite_to_svg({**figure.spec, "width": 600}, vl_version="6.1")
            assert drawn.count("<path") > 3, name


def test_bars_begin_at_zero(sample):
    """Whatever the numbers: Vega-Lite's own choice for bars, read from what it compiles to."""
    import vl_convert

    barred = 0
    for name, figure in charts.figures(sample).items():
        parts = json.dumps({key: part for key, part in (figure.spec or {}).items() if key != "config"})
        if '"bar"' in parts:
            compiled = vl_convert.vegalite_to_vega({**figure.spec, "width": 600}, vl_version="6.1")
            scale = next(s for s in compiled["scales"] if s["type"] == "linear" and s["name"] in ("x", "y"))
            assert scale.get("zero") or scale["domain"] == [0, 1], name
            barred += 1
    assert barred >= 6


@pytest.mark.parametrize("which", ["sample", "group", "crowd"])
def test_charts_are_drawn_from_few_points(which, request):
    for name, figure in charts.figures(request.getfixturevalue(which)).items():
        if figure.spec:
            assert len(figure.spec["data"]["values"]) <= 3000, name


def test_a_day_without_messages_is_a_gap_and_a_missing_median_breaks_the_line(sample):
    figures = charts.figures(sample)
    assert "5 days without any message" in figures["volume"].note
    points = [row for row in figures["reply_trend"].spec["data"]["values"] if row["person"] == "Noah"]
    assert len(points) == 17
    assert [row["median"] for row in points].count(None) == 5


def test_small_samples_and_unknown_zones_are_said():
    figures = charts.figures(analysis.analyse(TWO))
    assert "time zone is not in the file" in figures["week"].note
    assert "Fewer than 20 replies" in figures["reply_times"].note
    assert "chance" in figures["starts"].note
    assert "Fewer than 50 text messages" in figures["fingerprint"].note
    minutes = analysis.analyse(chat("01 10:00 Ann: a\n01 10:01 Ben: b\n01 10:03 Ann: c"))
    assert "to the minute" in charts.figures(minutes)["reply_times"].note


def test_a_persons_colour_is_the_same_whatever_is_chosen(sample):
    whole, part = charts.people_colours(sample.everyone), analysis.analyse(TWO, people=["Ben"])
    assert list(whole.values()) == list(FIRST[:2])
    assert FIRST[1] in charts.figures(part)["volume"].legend
    swapped = charts.figures(analysis.analyse(TWO), first="Ben")["volume"].spec["encoding"]["color"]["scale"]
    assert dict(zip(swapped["domain"], swapped["range"], strict=True))["Ben"] == FIRST[0]


def test_a_group_is_legible(group):
    figures = charts.figures(group)
    assert len(figures["volume"].spec["encoding"]["color"]["scale"]["domain"]) == 7  # six people and the others
    square = figures["answers"].spec["data"]["values"]
    assert len({row["person"] for row in square}) == 12
    assert "The 12 who write most of 50" in figures["answers"].note
    assert len(figures["people"].spec["data"]["values"]) == 20


def test_names_and_words_cannot_become_html():
    evil = '<img src=x onerror="alert(1)">'
    lines = "\n".join(f"01 10:{i:02d} {who}: {evil} boat" for i, who in enumerate([evil, "Ann"] * 20))
    found = analysis.analyse(chat(lines))
    drawn = charts.figures(found)
    for figure in drawn.values():
        assert "<img" not in figure.heading() + figure.html, figure.name
    assert "<img" not in charts.opening(found)


def test_every_figure_can_be_left_out():
    """The smallest chats have few figures, and none of them fails."""
    for lines in ("01 10:00 Ann: hi", "01 10:00 Ann: <media>", "01 10:00 Ann: <deleted>\n01 10:01 Ben: <deleted>"):
        drawn = charts.figures(analysis.analyse(chat(lines)))
        assert set(drawn) <= set(ORDER)
        assert {"volume", "people", "enough", "week"} <= set(drawn)


def test_numbers_in_words():
    assert [duration(s) for s in (0, 1, 89, 90, 5399, 5400, 172799, 172800)] == [
        "0 seconds", "1 second", "89 seconds", "2 minutes", "90 minutes", "2 hours", "48 hours", "2 days",
    ]  # fmt: skip
    assert [percent(s) for s in (0, 0.004, 0.43, 0.997, 1)] == ["0 %", "under 1 %", "43 %", "over 99 %", "100 %"]

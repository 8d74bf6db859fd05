"""Figures of conversations: who starts, who answers, how fast, and whom."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Any

import polars as pl

from pipeline.analysis import DOUBLE_TEXT, REPLY_BINS
from pipeline.charts.figure import Figure, by_person, duration, isolate, legend, number, percent, vega
from pipeline.charts.shown import Shown
from pipeline.charts.when import COUNTS, WHO, time_axis

__all__ = ["answers", "double_texts", "profile", "reply_times", "reply_trend", "rows_of", "starts"]

FEW_REPLIES = 20  # fewer are named as few
MATRIX = 12  # people in the picture of who answers whom
NO_REPLIES = {"replies": 0, "share": 0.0}


def starts(view: Shown) -> Figure | None:
    """Who starts conversations and who has the last word, as two bars a person from zero."""
    table = view.analysis.starts
    sessions = int(table["started"].sum())
    if not sessions:
        return None
    rows = [
        {"person": name, "what": what, "sessions": row[column], "share": row[column] / max(1, int(table[column].sum()))}
        for name, row in rows_of(table, view)
        for column, what in (("started", "starts"), ("ended", "has the last word"))
    ]
    lead = max((row for row in rows if row["what"] == "starts"), key=lambda row: row["sessions"])
    if len(view.analysis.people) == 1:
        title = f"{isolate(lead['person'])} started {number(lead['sessions'])} conversations"
    else:
        title = f"{isolate(lead['person'])} starts {percent(lead['share'])} of the {number(sessions)} conversations"
    spec = vega(
        rows,
        height={"step": 22 if len(view.featured) <= 3 else 12},
        mark="bar",
        encoding={
            "y": {"field": "what", "type": "nominal", "title": None, "sort": ["starts", "has the last word"]},
            "yOffset": {"field": "person", "type": "nominal", "sort": list(view.featured)},
            "x": {
                "field": "sessions",
                "type": "quantitative",
                "title": None,
                "axis": COUNTS,
            },
            "color": by_person(view.featured, view.colours),
            "tooltip": [*WHO, {"field": "what", "title": "does"}, _amount("sessions", "conversations"), _share()],
        },
    )
    note = f"A new conversation begins after {duration(view.analysis.silence.total_seconds())} without a message."
    if sessions < FEW_REPLIES:
        note += f" Only {number(sessions)} so far: chance plays a part."
    return Figure("starts", title, note, spec, legend=legend(view.featured, view.colours))


def reply_times(view: Shown) -> Figure | None:
    """How long replies take, as shares of each person's replies."""
    table = view.analysis.reply_histogram
    known = dict(rows_of(view.analysis.reply_times, view))
    if not known:
        return None
    labels = [label for _, label in REPLY_BINS]
    counted = {(name, row["bin"]): row for name, row in rows_of(table, view)}
    rows: list[dict[str, Any]] = []
    for name in known:
        for place, label in enumerate(labels):
            row = counted.get((name, place), {"replies": 0, "share": 0.0})
            rows.append({"person": name, "label": label, "replies": row["replies"], "share": row["share"]})
    few = [name for name, row in known.items() if row["replies"] < FEW_REPLIES]
    note = "From the message before to the reply, within a conversation."
    if view.analysis.to_the_minute:
        note += " This file tells times to the minute only."
    if few:
        note += f" Fewer than {FEW_REPLIES} replies: {', '.join(isolate(name) for name in few)}."
    spec = profile(rows, labels, list(known), view, "replies")
    key = legend(known, view.colours)
    return Figure("reply_times", _fastest(view), note, spec, legend=key)


def _fastest(view: Shown) -> str:
    def spell(seconds: float) -> str:
        return "under a minute" if view.analysis.to_the_minute and seconds < 60 else duration(seconds)

    judged = {
        name: row["median"] for name, row in rows_of(view.analysis.reply_times, view) if row["replies"] >= FEW_REPLIES
    }
    if not judged:
        return "Too few replies to say who is fast"
    ordered = sorted(judged, key=lambda name: judged[name])
    quick, slow = ordered[0], ordered[-1]
    if len(ordered) == 1:
        return f"{isolate(quick)} answers in {spell(judged[quick])}, half of the time"
    if spell(judged[quick]) == spell(judged[slow]):
        return f"{isolate(quick)} and {isolate(slow)} both answer in {spell(judged[quick])}, half of the time"
    return f"{isolate(quick)} answers in {spell(judged[quick])}, {isolate(slow)} in {spell(judged[slow])}"


def profile(
    rows: list[dict[str, Any]], labels: list[str], people: list[str], view: Shown, count: str
) -> dict[str, Any]:
    """Shares over the steps of a scale, from zero: bars side by side for up to three people, else lines."""
    narrow = "width < 520"
    tooltip = [*WHO, {"field": "label", "title": "in"}, _share(), _amount(count, count)]
    x = {
        "field": "label", "type": "ordinal", "sort": labels, "title": None,
        "axis": {
            "labelAngle": {"expr": f"{narrow} ? -40 : 0"}, "labelAlign": {"expr": f"{narrow} ? 'right' : 'center'"},
        },
    }  # fmt: skip
    y = {"field": "share", "type": "quantitative", "title": None, "axis": {"format": ".0%"}, "scale": {"zero": True}}
    colour = by_person(people, view.colours)
    encoding = {"x": x, "y": y, "color": colour, "tooltip": tooltip}
    if len(people) <= 3:
        encoding["xOffset"] = {"field": "person", "type": "nominal", "sort": people}
        return vega(rows, height=200, mark="bar", encoding=encoding)
    return vega(rows, height=220, mark={"type": "line", "point": {"size": 40}}, encoding=encoding)


def reply_trend(view: Shown) -> Figure | None:
    """The median time to reply over time, on a logarithmic scale; a line breaks where there were too few replies."""
    table = view.analysis.reply_trend
    rows = [row for name, row in rows_of(table, view)]
    starts = sorted({row["start"] for row in rows})
    if len(starts) < 3:
        return None
    bucket = view.analysis.trend_bucket
    data = []
    for name in view.featured:
        mine = {row["start"]: row for row in rows if str(row["person"]) == name}
        for start in _every(starts[0], starts[-1], bucket):
            row = mine.get(start)
            median = max(1.0, row["median"]) if row else None
            data.append({
                "person": name, "start": _milliseconds(start), "when": start.strftime("%-d %b %Y"), "median": median,
                "said": duration(row["median"]) if row else "", "replies": row["replies"] if row else 0,
            })  # fmt: skip
    spec = vega(
        data,
        mark={"type": "line", "point": {"size": 30}, "invalid": "break-paths-show-path-domains"},
        encoding={
            "x": time_axis(bucket),
            "y": {
                "field": "median", "type": "quantitative", "title": None,
                "scale": {"type": "log", "nice": False},
                "axis": {"values": LOG_TICKS, "labelExpr": LOG_LABEL, "labelOverlap": "greedy"},
            },
            "color": by_person(view.featured, view.colours),
            "tooltip": [
                *WHO, {"field": "when", "title": f"{bucket} from"}, {"field": "said", "title": "half within"},
                _amount("replies", "replies"),
            ],
        },
    )  # fmt: skip
    note = (
        f"The middle reply of each {bucket}, on a logarithmic scale; no point where there were fewer than five replies."
    )
    return Figure("reply_trend", _trend(view, rows), note, spec, legend=legend(view.featured, view.colours))


LOG_TICKS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400]
LOG_LABEL = (
    "datum.value < 60 ? datum.value + ' s' : datum.value < 3600 ? datum.value / 60 + ' min' : datum.value / 3600 + ' h'"
)


def _trend(view: Shown, rows: list[dict[str, Any]]) -> str:
    lead = view.featured[0]
    mine = [row for row in rows if str(row["person"]) == lead]
    if len(mine) < 6:
        return "How fast replies came, over time"
    third = len(mine) // 3
    early = sum(row["median"] for row in mine[:third]) / third
    late = sum(row["median"] for row in mine[-third:]) / third
    if late > 1.5 * early:
        return f"{isolate(lead)} answers more slowly than at first"
    if early > 1.5 * late:
        return f"{isolate(lead)} answers faster than at first"
    return f"{isolate(lead)} answers about as fast as at first"


def double_texts(view: Shown) -> Figure | None:
    """Messages sent after one's own had gone unanswered, per hundred turns."""
    table = view.analysis.starts
    rows = [
        {
            "person": name,
            "count": row["double_texts"],
            "turns": row["turns"],
            "rate": 100 * row["double_texts"] / row["turns"],
        }
        for name, row in rows_of(table, view)
        if row["turns"]
    ]
    if not any(row["count"] for row in rows):
        return None
    steady = [row for row in rows if row["turns"] >= FEW_REPLIES] or rows
    lead = max(steady, key=lambda row: row["rate"])
    title = f"{isolate(lead['person'])} writes again without an answer {number(lead['rate'], 1)} times in 100 turns"
    spec = vega(
        rows,
        height={"step": 30},
        encoding={
            "y": {"field": "person", "type": "nominal", "sort": list(view.featured), "title": None},
            "x": {"field": "rate", "type": "quantitative", "title": "per 100 turns", "scale": {"zero": True}},
            "tooltip": [*WHO, _amount("count", "times"), {"field": "rate", "format": ".1f", "title": "per 100 turns"}],
        },
        layer=[
            {"mark": "bar", "encoding": {"color": by_person(view.featured, view.colours)}},
            {
                "mark": {"type": "text", "align": "left", "dx": 5},
                "encoding": {"text": {"field": "rate", "type": "quantitative", "format": ".1f"}},
            },
        ],
    )
    note = f"The next message of the same person after {DOUBLE_TEXT // 60} minutes or more in which nobody answered."
    return Figure("double_texts", title, note, spec)


def answers(view: Shown) -> Figure | None:
    """Who answers whom: a square of the people who write most, the others as one."""
    table = view.analysis.answers
    if len(view.analysis.people) < 3 or not table.height:
        return None
    order = list(view.analysis.people[:MATRIX])
    given = table.with_columns((pl.col("replies") / pl.col("replies").sum().over("person")).alias("share"))
    known = {(str(row["person"]), str(row["to"])): row for row in given.to_dicts()}
    rows = [
        {"person": name, "to": to, **{key: known.get((name, to), NO_REPLIES)[key] for key in NO_REPLIES}}
        for name in order
        for to in order
        if name != to
    ]
    side = {"title": None, "labelLimit": 90, "labelOverlap": False}
    spec = vega(
        rows,
        height={"step": 26},
        mark={"type": "rect", "cornerRadius": 3},
        encoding={
            "x": {
                "field": "to", "type": "nominal", "sort": order, "title": "is answered",
                "axis": {**side, "labelAngle": -45, "orient": "top", "title": None}, "scale": {"paddingInner": 0.1},
            },
            "y": {"field": "person", "type": "nominal", "sort": order, "axis": side, "scale": {"paddingInner": 0.1}},
            "color": {"value": "var(--ct-accent, #0F766E)"},
            "opacity": {
                "field": "share", "type": "quantitative", "legend": None,
                "scale": {"domain": [0, max(row["share"] for row in rows) or 1], "range": [0.04, 1]},
            },
            "tooltip": [
                {"field": "person", "title": "who answers"}, {"field": "to", "title": "whom"},
                _amount("replies", "replies"), _share(),
            ],
        },
    )  # fmt: skip
    note = (
        "A row shows whom that person answers: the darker, the larger the share of their replies. "
        "A reply answers whoever wrote right before it; the file does not say more."
    )
    if len(order) < len(view.analysis.people):
        note += f" The {MATRIX} who write most of {number(len(view.analysis.people))}."
    return Figure("answers", _closest(table), note, spec, html=_pairs(table))


def _closest(table: pl.DataFrame) -> str:
    both: dict[frozenset[str], int] = {}
    for row in table.to_dicts():
        pair = frozenset((str(row["person"]), str(row["to"])))
        both[pair] = both.get(pair, 0) + row["replies"]
    pair, count = max(both.items(), key=lambda item: (item[1], sorted(item[0])))
    one, other = sorted(pair)
    return f"{isolate(one)} and {isolate(other)} answer each other most: {number(count)} times"


def _pairs(table: pl.DataFrame) -> str:
    """Who answers somebody more often than chance would have it, for people who talk as much as they do."""
    tied = table.filter(pl.col("replies") >= FEW_REPLIES, pl.col("replies") > 1.2 * pl.col("expected"))
    tied = tied.with_columns((pl.col("replies") / pl.col("expected")).alias("ratio")).top_k(5, by="ratio")
    if not tied.height:
        return ""
    lines = "".join(
        f"<li><b>{row['ratio']:.1f} times</b><span><bdi>{escape(str(row['person']))}</bdi> answers "
        f"<bdi>{escape(str(row['to']))}</bdi> ({number(row['replies'])} replies)</span></li>"
        for row in tied.sort(["ratio", "person", "to"], descending=[True, False, False]).to_dicts()
    )
    return f'<div class="lists"><h4>More often than chance</h4><ul>{lines}</ul></div>'


def rows_of(table: pl.DataFrame, view: Shown) -> list[tuple[str, dict[str, Any]]]:
    """The rows of the people told apart, in their order."""
    place = {name: at for at, name in enumerate(view.featured)}
    rows = [(str(row["person"]), row) for row in table.to_dicts() if str(row["person"]) in place]
    return sorted(rows, key=lambda pair: place[pair[0]])


def _every(first: Any, last: Any, bucket: str) -> list[Any]:
    step = {"day": "1d", "week": "1w", "month": "1mo"}[bucket]
    return pl.date_range(first, last, step, eager=True).to_list()


def _milliseconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400_000


def _amount(field: str, title: str) -> dict[str, str]:
    return {"field": field, "type": "quantitative", "format": ",", "title": title}


def _share() -> dict[str, str]:
    return {"field": "share", "type": "quantitative", "format": ".1%", "title": "share"}

"""Figures of who wrote, how much and when."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from html import escape
from typing import Any

import polars as pl

from pipeline.charts.figure import Figure, by_person, duration, isolate, legend, many, number, percent, vega
from pipeline.charts.shown import Shown, fold

__all__ = ["CLOCK", "COUNTS", "TEAL", "WHO", "compare", "people", "share", "silences", "time_axis", "volume", "week"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BARS = 20  # people who get a bar
CLOCK = "Times are as the phone wrote them; the time zone is not in the file."
NAMED = {"day": "%A %-d %b %Y", "week": "week of %-d %b %Y", "month": "%B %Y"}


def volume(view: Shown) -> Figure:
    """Messages over time, stacked by person; a time without messages is a gap."""
    analysis = view.analysis
    table = fold(analysis.volume, ["start"], "messages", view)
    totals = table.group_by("start").agg(pl.col("messages").sum()).sort("start")
    best = totals.row(totals["messages"].arg_max() or 0, named=True)
    bucket = analysis.bucket
    when = best["start"].strftime({**NAMED, "week": "that of %-d %b %Y"}[bucket])
    title = f"The busiest {bucket} was {when}: {number(best['messages'])} messages"
    silent = _buckets(analysis.head.first.date(), analysis.head.last.date(), bucket) - totals.height
    gaps = f" {many(silent, bucket)} without any message." if silent > 0 else ""
    spec = vega(
        _dated(table, bucket),
        height=240,
        mark={"type": "bar", "orient": "vertical", "cornerRadiusEnd": 0},
        encoding={
            "x": time_axis(bucket),
            "x2": {"field": "end"},
            "y": {
                "field": "messages",
                "type": "quantitative",
                "stack": "zero",
                "title": None,
                "axis": COUNTS,
            },
            "color": by_person(view.series, view.colours),
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [
                {"field": "when", "title": bucket},
                *WHO,
                {"field": "messages", "type": "quantitative", "format": ","},
            ],
        },
        transform=[_placed(view)],
    )
    key = legend(view.series, view.colours)
    return Figure("volume", title, f"Messages a {bucket}.{gaps}", spec, legend=key)


def share(view: Shown) -> Figure | None:
    """Each person's share of the messages over time."""
    analysis = view.analysis
    if len(view.series) < 2 or analysis.volume["start"].n_unique() < 3:
        return None
    table = fold(analysis.volume, ["start"], "messages", view).with_columns(
        (pl.col("messages") / pl.col("messages").sum().over("start")).alias("share"),
        pl.col("messages").sum().over("start").alias("of"),
    )
    lead = view.featured[0]
    own = table.filter(pl.col("person") == lead, pl.col("of") >= 10)["share"]
    low, high = (own.min(), own.max()) if len(own) else (None, None)
    if len(own) > 1 and low is not None and high is not None and high != low:
        title = f"{isolate(lead)}'s share runs from {percent(low)} to {percent(high)}"  # type: ignore[arg-type]
    else:
        title = f"Who had how much of the conversation, {analysis.bucket} by {analysis.bucket}"
    spec = vega(
        _dated(table, analysis.bucket),
        height=160,
        mark={"type": "bar", "orient": "vertical", "cornerRadiusEnd": 0},
        encoding={
            "x": time_axis(analysis.bucket),
            "x2": {"field": "end"},
            "y": {
                "field": "messages", "type": "quantitative", "stack": "normalize", "title": None,
                "axis": {"format": ".0%", "values": [0, 0.5, 1]},
            },
            "color": by_person(view.series, view.colours),
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [
                {"field": "when", "title": analysis.bucket}, *WHO,
                {"field": "share", "type": "quantitative", "format": ".0%"},
                {"field": "messages", "type": "quantitative", "format": ","},
            ],
        },
        transform=[_placed(view)],
    )  # fmt: skip
    note = f"Share of the messages of each {analysis.bucket}; the range in the title leaves out those with under ten."
    return Figure("share", title, note, spec, legend=legend(view.series, view.colours))


def people(view: Shown) -> Figure:
    """Messages per person, most first, from zero."""
    table = view.analysis.per_person
    names = [str(name) for name in table["person"].head(BARS)]
    rows = [
        {"person": str(row["person"]), "messages": row["messages"], "share": row["share"]}
        for row in table.head(BARS).to_dicts()
    ]
    amount = {"field": "messages", "type": "quantitative", "format": ","}
    x = {"field": "messages", "type": "quantitative", "title": None, "axis": COUNTS, "scale": {"zero": True}}
    spec = vega(
        rows,
        height={"step": 30 if len(rows) <= 6 else 22},
        encoding={
            "y": {"field": "person", "type": "nominal", "sort": names, "title": None},
            "x": x,
            "tooltip": [*WHO, amount, {"field": "share", "type": "quantitative", "format": ".1%"}],
        },
        layer=[
            {"mark": "bar", "encoding": {"color": by_person(names, view.colours)}},
            {"mark": {"type": "text", "align": "left", "dx": 5}, "encoding": {"text": amount}},
        ],
    )
    note = "Messages of each person, everything but system lines."
    rest = table.slice(BARS)
    if rest.height:
        who = "person" if rest.height == 1 else "people"
        note += f" The {number(rest.height)} {who} not shown wrote {number(float(rest['messages'].sum()))}."
    return Figure("people", _who_writes(view), note, spec)


def _who_writes(view: Shown) -> str:
    names = view.analysis.people
    per = {str(row["person"]): row["messages"] for row in view.analysis.per_person.to_dicts()}
    ordered = list(per)
    lead, total = ordered[0], sum(per.values())
    if len(names) == 1:
        return f"{isolate(lead)} wrote {number(per[lead])} messages"
    if len(names) == 2:
        return f"{isolate(lead)} writes {compare(per[lead] / per[ordered[1]])} {isolate(ordered[1])}"
    half = 0
    for place, name in enumerate(ordered, start=1):
        half += per[name]
        if half * 2 >= total:
            who = isolate(lead) if place == 1 else f"{place} of {len(names)} people"
            return (
                f"{who} wrote half of all messages"
                if place > 1
                else f"{who} wrote {percent(per[lead] / total)} of all messages"
            )
    return f"{isolate(lead)} wrote most"


def compare(ratio: float) -> str:
    """Twice as much as: a ratio of at least one, in words."""
    if ratio < 1.1:
        return "as much as"
    if ratio < 1.8:
        return f"{100 * (ratio - 1):.0f} % more than"
    return "twice as much as" if ratio < 2.25 else f"{ratio:.1f} times as much as"


def week(view: Shown) -> Figure:
    """Messages by weekday and hour."""
    totals = view.analysis.week.group_by("weekday", "hour").agg(pl.col("messages").sum())
    known = {(row["weekday"], row["hour"]): row["messages"] for row in totals.to_dicts()}
    rows = [
        {"day": WEEKDAYS[day - 1][:3], "hour": hour, "messages": known.get((day, hour), 0), "from": f"{hour:02d}:00"}
        for day in range(1, 8)
        for hour in range(24)
    ]
    day, hour = max(sorted(known), key=lambda place: known[place])
    title = f"Most is written on {WEEKDAYS[day - 1]}s from {hour:02d}:00 to {(hour + 1) % 24:02d}:00"
    spec = vega(
        rows,
        height={"step": 24},
        mark={"type": "rect", "cornerRadius": 3, "stroke": None},
        encoding={
            "x": {
                "field": "hour", "type": "ordinal", "title": None,
                "axis": {"labelAngle": 0, "values": [0, 6, 12, 18, 23], "labelExpr": "datum.value + ':00'"},
                "scale": {"paddingInner": 0.12},
            },
            "y": {
                "field": "day", "type": "ordinal", "title": None, "sort": [name[:3] for name in WEEKDAYS],
                "scale": {"paddingInner": 0.12},
            },
            "color": {"value": TEAL},
            "opacity": {
                "field": "messages", "type": "quantitative", "legend": None,
                "scale": {"type": "sqrt", "domain": [0, known[day, hour]], "range": [0.05, 1]},
            },
            "tooltip": [
                {"field": "day", "title": "day"}, {"field": "from", "title": "hour from"},
                {"field": "messages", "type": "quantitative", "format": ","},
            ],
        },
    )  # fmt: skip
    return Figure("week", title, CLOCK, spec)


def silences(view: Shown) -> Figure:
    """The longest silences and the longest streaks, as two short lists."""
    quiet = view.analysis.silences.filter(pl.col("seconds") >= 3600).head(3).to_dicts()
    runs = view.analysis.streaks.head(3).to_dicts()
    run = runs[0]
    title = f"The longest streak: {many(run['days'], 'day')} in a row"
    if quiet:
        title += f"; the longest silence: {duration(quiet[0]['seconds'])}"
    lines = "".join(
        f"<li><b>{escape(duration(row['seconds']))}</b><span>{_spell_dates(row['since'], row['until'])}, ended by "
        f"<bdi>{escape(str(row['broken_by']))}</bdi></span></li>"
        for row in quiet
    )
    streaks = "".join(
        f"<li><b>{many(row['days'], 'day')}</b><span>{_spell_dates(row['since'], row['until'])}, "
        f"{many(row['messages'], 'message')}</span></li>"
        for row in runs
    )
    body = f"<div><h4>Streaks</h4><ul>{streaks}</ul></div>" + (
        f"<div><h4>Silences</h4><ul>{lines}</ul></div>" if lines else ""
    )
    note = "A streak is days in a row with a message; a silence is a time without one from anybody."
    return Figure("silences", title, note, html=f'<div class="two lists">{body}</div>')


TEAL = "var(--ct-accent, #0F766E)"
COUNTS = {"format": ",d", "tickMinStep": 1}
WHO: list[dict[str, Any]] = [{"field": "person", "type": "nominal", "title": "who"}]


def _spell_dates(since: date | datetime, until: date | datetime) -> str:
    first, last = since.strftime("%-d %b %Y"), until.strftime("%-d %b %Y")
    return first if first == last else f"{first} to {last}"


def _buckets(first: date, last: date, bucket: str) -> int:
    if bucket == "month":
        return (last.year - first.year) * 12 + last.month - first.month + 1
    if bucket == "week":
        monday = first - timedelta(days=first.weekday())
        return (last - monday).days // 7 + 1
    return (last - first).days + 1


def _dated(table: pl.DataFrame, bucket: str) -> list[dict[str, Any]]:
    """Rows with their bucket's `start` and `end` in milliseconds and its name; the bars are parted by a sliver."""
    every = {"day": "1d", "week": "1w", "month": "1mo"}[bucket]
    start, end = pl.col("start").dt.epoch("ms"), pl.col("start").dt.offset_by(every).dt.epoch("ms")
    return table.with_columns(
        pl.col("start").dt.to_string(NAMED[bucket]).alias("when"),
        start.alias("start"),
        (end - 0.06 * (end - start)).alias("end"),
    ).to_dicts()


def time_axis(bucket: str) -> dict[str, Any]:
    """The channel of `start` in milliseconds; in UTC throughout, since the times are of no zone."""
    form = {"day": "%-d %b", "week": "%b %y", "month": "%b %y"}[bucket]
    ticks = {"expr": "width < 420 ? 4 : 8"}
    return {
        "field": "start", "type": "temporal", "scale": {"type": "utc", "nice": False}, "title": None,
        "axis": {"format": form, "labelOverlap": "greedy",
            "labelSeparation": 10, "tickCount": ticks, "labelFlush": True, "grid": False},
    }  # fmt: skip


def _placed(view: Shown) -> dict[str, str]:
    """The order of the stack is that of the legend, not of the alphabet."""
    import json

    return {"calculate": f"indexof({json.dumps(list(view.series))}, datum.person)", "as": "place"}

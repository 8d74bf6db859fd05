"""Figures of how people write: lengths, habits, emoji, words, laughter, languages; and whether it is enough."""

from __future__ import annotations

from html import escape
from typing import Any

import polars as pl

from pipeline.analysis import ENOUGH, FEATURES, FEW, PLENTY
from pipeline.charts.figure import Figure, dot, isolate, legend, number, percent
from pipeline.charts.replies import profile, rows_of
from pipeline.charts.shown import Shown

__all__ = ["bubbles", "emoji", "enough", "fingerprint", "languages", "laughter", "lengths", "phrases", "words"]

FEW_TEXTS = 50  # messages below which a habit is said to rest on few
COUNTED = {"words_per_message", "chars_median", "bubbles_per_turn", "words_per_turn", "emoji_per_100"}
LANGUAGES = {
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian",
    "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French", "gl": "Galician", "gu": "Gujarati",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kn": "Kannada", "ko": "Korean",
    "lt": "Lithuanian", "lv": "Latvian", "ml": "Malayalam", "mr": "Marathi", "ms": "Malay", "ne": "Nepali",
    "nl": "Dutch", "no": "Norwegian", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian",
    "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def lengths(view: Shown) -> Figure | None:
    """Messages by their number of words."""
    note = "Share of each person's text messages by their number of words."
    return _histogram("lengths", view, view.analysis.lengths, ("words_per_message", "messages"), note)


def bubbles(view: Shown) -> Figure | None:
    """Turns by their number of messages."""
    note = "Messages that one person sends before another speaks, as shares of the person's turns."
    return _histogram("bubbles", view, view.analysis.bubbles, ("several_bubbles", "turns"), note)


def _histogram(name: str, view: Shown, table: pl.DataFrame, of: tuple[str, str], note: str) -> Figure | None:
    """Shares over the bins of a table; `of`: the feature that the title compares, and what is counted."""
    feature, count = of
    if not table.height:
        return None
    values = {who: row[feature] for who, row in rows_of(view.analysis.style, view) if row[feature] is not None}
    labels = _labels(table)
    spec = profile(_filled(table, view, labels, count), labels, list(values), view, count)
    title = _compared(values, FEATURES[feature]) if feature in COUNTED else _in_several(values)
    return Figure(name, title, note, spec, legend=legend(values, view.colours))


def _in_several(shares: dict[str, float]) -> str:
    lead, last = max(shares, key=lambda name: shares[name]), min(shares, key=lambda name: shares[name])
    title = f"{isolate(lead)} says it in several messages {percent(shares[lead])} of the time"
    return f"{title}, {isolate(last)} {percent(shares[last])}" if len(shares) > 1 else title


def fingerprint(view: Shown) -> Figure:
    """Each habit, with a bar from zero a person."""
    rows = rows_of(view.analysis.style, view)
    blocks, gap, title = [], 0.0, "How each of them writes"
    for feature, says in FEATURES.items():
        values = {name: row[feature] for name, row in rows if row[feature] is not None}
        top = max(values.values(), default=0.0)
        if not top:
            continue
        bars = "".join(
            f'<div class="bar-row" title="{escape(name)}"><span class="bar" '
            f'style="width:{100 * value / top:.1f}%;background:{view.colours[name]}"></span>'
            f"<b>{_spell(feature, value)}</b></div>"
            for name, value in values.items()
        )
        blocks.append(f'<div class="habit"><h4>{escape(says)}</h4>{bars}</div>')
        steady = {name: values[name] for name, row in rows if name in values and row["texts"] >= FEW_TEXTS}
        ratio = _ratio(steady, feature)
        if ratio > gap:
            gap, lead = ratio, max(steady, key=lambda name: steady[name])
            least = min(steady, key=lambda name: steady[name])
            title = (
                f"What tells them apart most: {says} ({isolate(lead)} {_spell(feature, steady[lead])}, "
                f"{isolate(least)} {_spell(feature, steady[least])})"
            )
    few = [isolate(name) for name, row in rows if row["texts"] < FEW_TEXTS]
    note = "Shares are of a person's text messages unless said otherwise; bars start at zero."
    if few:
        note += f" Fewer than {FEW_TEXTS} text messages: {', '.join(few)}."
    key = legend([name for name, _ in rows], view.colours)
    return Figure("fingerprint", title, note, html=f'<div class="habits">{"".join(blocks)}</div>', legend=key)


def _ratio(values: dict[str, float], feature: str) -> float:
    """How far apart the extremes are; a share of one in fifty against none is chance, so small values are lifted."""
    if len(values) < 2:
        return 0.0
    floor = 1.0 if feature in COUNTED else 0.05
    return (max(values.values()) + floor) / (min(values.values()) + floor)


def _spell(feature: str, value: float) -> str:
    if feature in COUNTED:
        return number(value, 0 if feature == "chars_median" else 1)
    return percent(value)


def _compared(values: dict[str, float], unit: str) -> str:
    lead, last = max(values, key=lambda name: values[name]), min(values, key=lambda name: values[name])
    if len(values) == 1 or number(values[lead], 1) == number(values[last], 1):
        return f"{isolate(lead)} writes {number(values[lead], 1)} {unit}"
    return f"{isolate(lead)} writes {number(values[lead], 1)} {unit}, {isolate(last)} {number(values[last], 1)}"


def emoji(view: Shown) -> Figure | None:
    """Each person's most used emoji."""
    table = view.analysis.emoji
    if not table.height:
        return None
    style = dict(rows_of(view.analysis.style, view))
    rate = {name: row["emoji_per_100"] for name, row in style.items() if row["emoji_per_100"] is not None}
    lead = max(rate, key=lambda name: rate[name])
    title = (
        f"{_most(table, 'emoji', 'uses')[0]} is the favourite; {isolate(lead)} uses {number(rate[lead], 1)} emoji "
        "per 100 messages"
    )
    cards = [
        _card(
            name,
            view,
            "".join(
                f'<span class="emoji">{row["emoji"]}<small>{number(row["uses"])}</small></span>' for row in mine[:8]
            ),
        )
        for name, mine in _grouped(table, view).items()
    ]
    return Figure("emoji", title, "The emoji each person used most, and how often.", html=_cards(cards))


def words(view: Shown) -> Figure | None:
    """The words that a person uses more than the others do."""
    table = _featured(view.analysis.words, view)
    if len(view.analysis.people) < 2 or not table.height:
        return None
    top = table.sort("score", descending=True).row(0, named=True)
    title = f"“{isolate(top['term'])}” is {isolate(str(top['person']))}'s word"
    note = "Words that a person uses more than the others do, the surest first; everyday words aside."
    note += _sampled(view.analysis.words_every)
    return Figure("words", title, note, html=_terms(table, view), words=True)


def phrases(view: Shown) -> Figure | None:
    """The phrases that a person uses more than the others do."""
    table = _featured(view.analysis.phrases, view)
    if len(view.analysis.people) < 2 or not table.height:
        return None
    top = table.sort("score", descending=True).row(0, named=True)
    title = f"{isolate(str(top['person']))} says “{isolate(top['term'])}” {number(top['uses'])} times"
    note = f"Phrases of two or three words, judged like the words.{_sampled(view.analysis.phrases_every)}"
    return Figure("phrases", title, note, html=_terms(table, view), words=True)


def _sampled(every: int) -> str:
    """What a count is of, where it is not of all messages."""
    if every == 1:
        return ""
    return f" Counted on every {_ordinal(every)} message, evenly through the time, so that a long chat takes no longer."


def _ordinal(place: int) -> str:
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{number(place)}{ending}" if place != 2 else "other"


def laughter(view: Shown) -> Figure | None:
    """How people laugh and how they greet."""
    laughs, greets = view.analysis.laughter, view.analysis.greetings
    if not laughs.height and not greets.height:
        return None
    style = dict(rows_of(view.analysis.style, view))
    rate = {name: row["laugh"] for name, row in style.items() if row["laugh"]}
    title = "How they greet"
    if rate:
        lead = max(rate, key=lambda name: rate[name])
        title = f"{isolate(lead)} laughs in {percent(rate[lead])} of the messages"
    laughing, greeting = _grouped(laughs, view), _grouped(greets, view)
    cards = []
    for name in view.featured:
        lines = [
            f'<div class="said"><em>{what}</em>'
            + "".join(_term(row["form"], row["messages"]) for row in rows[:5])
            + "</div>"
            for what, rows in (("laughs", laughing.get(name, [])), ("greets", greeting.get(name, [])))
            if rows
        ]
        if lines:
            cards.append(_card(name, view, "".join(lines)))
    return Figure(
        "laughter", title, "Messages that hold a laugh, or begin with a greeting.", html=_cards(cards), words=True
    )


def languages(view: Shown) -> Figure | None:
    """The languages each person writes in."""
    table = view.analysis.languages
    if not table.height:
        return None
    names = [LANGUAGES.get(code, code) for code in _most(table, "language", "share")]
    people = view.analysis.people
    title = f"{isolate(people[0])} writes in" if len(people) == 1 else "They write in"
    title += f" {', '.join(names[:3])}"
    if len(names) > 3:
        title += f" and {len(names) - 3} more"
    cards = []
    for name, mine in _grouped(table, view).items():
        said = [(LANGUAGES.get(row["language"], row["language"]), percent(row["share"])) for row in mine]
        cards.append(
            _card(name, view, "".join(f"<span>{escape(code)}<small>{share}</small></span>" for code, share in said))
        )
    note = (
        "Judged on some long stretches of each person's text, spread over the time; a language below a tenth of them "
        "is not named."
    )
    return Figure("languages", title, note, html=_cards(cards))


VERDICTS = {
    "few": f"too few to learn from; {FEW} is the least",
    "little": f"a beginning; {ENOUGH} make a recognisable style",
    "enough": f"enough for a recognisable style; more than {PLENTY:,} is better",
    "plenty": "plenty",
}


def enough(view: Shown) -> Figure:
    """Whether each person wrote enough to be learned from."""
    rows = rows_of(view.analysis.enough, view)
    cards = []
    for name, row in rows:
        kept, replies = row["kept"], row["replies"]
        reach = min(100.0, 100 * kept / PLENTY)
        left = f"{percent(kept / replies)} of {number(replies)} replies are text" if replies else "no replies"
        marks = "".join(f'<i style="left:{100 * at / PLENTY:.0f}%"></i>' for at in (FEW, ENOUGH))
        cards.append(
            f'<div class="card verdict {row["verdict"]}"><h4>{dot(view.colours[name])}<bdi>{escape(name)}</bdi></h4>'
            f"<p><b>{number(kept)} repl{'y' if kept == 1 else 'ies'}</b>, {VERDICTS[row['verdict']]}</p>"
            f'<div class="reach"><span style="width:{reach:.1f}%"></span>{marks}</div>'
            f'<p class="note">{left}; about {number(row["tokens"])} tokens; '
            f"in {row['months']} of {row['of_months']} month{'s' * (row['of_months'] != 1)}</p></div>"
        )
    best = max(rows, key=lambda pair: pair[1]["kept"])
    title = f"{isolate(best[0])}: {number(best[1]['kept'])} replies, {VERDICTS[best[1]['verdict']]}"
    note = "Replies with something before them to answer, which is what a twin learns from."
    return Figure("enough", title, note, html=_cards(cards))


def _most(table: pl.DataFrame, name: str, amount: str) -> list[str]:
    """The names by their amounts over all people, most first."""
    total = table.group_by(name).agg(pl.col(amount).sum())
    return total.sort([amount, name], descending=[True, False])[name].to_list()


def _featured(table: pl.DataFrame, view: Shown) -> pl.DataFrame:
    return table.filter(pl.col("person").cast(pl.String).is_in(list(view.featured)))


def _terms(table: pl.DataFrame, view: Shown) -> str:
    cards = [
        _card(name, view, "".join(_term(row["term"], row["uses"]) for row in mine))
        for name, mine in _grouped(table, view).items()
    ]
    return _cards(cards)


def _term(term: str, count: int) -> str:
    return f'<span class="term"><bdi>{escape(term)}</bdi><small>{number(count)}</small></span>'


def _card(name: str, view: Shown, body: str) -> str:
    head = f"<h4>{dot(view.colours[name])}<bdi>{escape(name)}</bdi></h4>"
    return f'<div class="card">{head}<div class="terms">{body}</div></div>'


def _cards(cards: list[str]) -> str:
    return f'<div class="cards">{"".join(cards)}</div>'


def _grouped(table: pl.DataFrame, view: Shown) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for name, row in rows_of(table, view):
        grouped.setdefault(name, []).append(row)
    return grouped


def _labels(table: pl.DataFrame) -> list[str]:
    known = dict(table.select("bin", "label").unique().sort("bin").iter_rows())
    return [known[place] for place in sorted(known)]


def _filled(table: pl.DataFrame, view: Shown, labels: list[str], count: str) -> list[dict[str, Any]]:
    known = {(name, row["label"]): row for name, row in rows_of(table, view)}
    names = list(dict.fromkeys(name for name, _ in known))
    none = {count: 0, "share": 0.0}
    return [
        {"person": name, "label": label, **{key: known.get((name, label), none)[key] for key in (count, "share")}}
        for name in names
        for label in labels
    ]

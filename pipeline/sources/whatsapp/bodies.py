"""The columns that say what each message is: kind, detail, attachment, edited, and the texts they change."""

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.messages import KINDS, SCHEMA
from pipeline.sources.whatsapp.kinds import AppLine, Matcher, normalise, spellings, words
from pipeline.sources.whatsapp.service import is_own_sentence, under_names
from pipeline.sources.whatsapp.strings import Array, Strings, column

__all__ = ["Bodies", "describe"]


_MARK = r"[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]"
_FILE = r"[^\n<>]{1,250}?\.[A-Za-z0-9]{1,8}"
# "<attached: f>" at the end of a body (iOS), "f (file attached)" on its first line (Android; old iOS: "f <attached>").
_IOS_FILE = rf"(?P<mark>{_MARK}*)<(?P<word>[^<>:：\n]{{2,40}})[ \u00a0]?[:：] ?{_MARK}*(?P<file>{_FILE})>\s*$"
_ANDROID_FILE = rf"^(?P<mark>{_MARK}*)(?P<file>{_FILE}) [(<]{_MARK}*(?P<word>[^()<>:\n]{{3,40}})[)>](?:\r?\n|$)"
_EDITED = rf"\s*{_MARK}*<(?P<word>[^<>\n]{{3,80}})>\s*$"
# A place: what it is called, perhaps "(street, town)", and a link to a map or to the venue's own page.
_MAPS = (
    r"(?:maps\.google\.|(?:www\.)?google\.[a-z.]+/maps|maps\.app\.goo\.gl/|goo\.gl/maps/|maps\.apple\.|"
    r"(?:[a-z-]+\.)?foursquare\.com/|4sq\.com/|(?:www\.)?openstreetmap\.org/|maps\.me/|yandex\.[a-z]+/maps|2gis\.)"
)
_PLACE = rf"^(?:[^:\n]{{2,60}}: https?://{_MAPS}|[^\n]{{1,100}}\([^()\n]+,[^()\n]+\): https?://\S+$)"
_MARKED_PLACE = r"^[^:\n]{2,100}: https?://\S+$"
_EXTENSIONS = {
    "image": "jpg jpeg png heic bmp tif tiff avif", "video": "mp4 mov 3gp mkv avi webm m4v", "gif": "gif",
    "audio": "opus ogg oga mp3 m4a aac wav amr flac", "sticker": "webp", "contact": "vcf",
}  # fmt: skip
_SORT_OF = {extension: sort for sort, names in _EXTENSIONS.items() for extension in names.split()}
_UNKNOWN_MEDIA = r"\s*[<‹][^<>‹›\n]{3,50}[>›]\s*"
_MARKS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@dataclass(frozen=True)
class Bodies:
    """What describe() looks at: one row a message. `marked`: the app's own mark stood in front of the text (`strings`).

    `first`, `last`, `line_last`: the first and the last byte of the text, and the last of its first line.
    `bracketed`: the file is an iOS one.
    """

    sender: pl.Series
    strings: Strings
    text: pl.Series
    marked: Array
    first: Array
    last: Array
    line_last: Array
    bracketed: bool


def describe(bodies: Bodies, matcher: Matcher) -> pl.DataFrame:
    """sender, text, kind, attachment, edited and detail of each message.

    Only bodies that can be the app's are compared with its phrases: with its mark, in angle brackets, with a file,
    equal to a phrase, or without a sender.
    """
    unnamed = bodies.sender.is_null().to_numpy()
    closing = (bodies.last == 0x3E) | (bodies.last == 0xBA)  # > and the last byte of ›
    opening = (bodies.first == 0x3C) | (bodies.first == 0xE2)  # < and the first byte of ‹
    whole = bodies.text.is_in(spellings()).to_numpy()
    listed = unnamed | bodies.marked | whole | opening | closing | _opens(bodies.text)
    if bodies.bracketed:
        listed |= bodies.text.str.contains("\u200e", literal=True).to_numpy()
    rows = np.flatnonzero(listed | (bodies.line_last == 0x29))  # )
    at = column(rows)
    table = pl.DataFrame({
        "row": at, "sender": bodies.sender.gather(at), "text": bodies.text.gather(at),
        "marked": column(bodies.marked[rows]), "listed": column(listed[rows]), "named": column(~unnamed[rows]),
        "whole": column(whole[rows]),
    })  # fmt: skip
    table = _read_files(_read_edits(table))
    table = _read_lines(table, bodies, matcher)
    return _spread(bodies, _with_lines_under_names(table, bodies, matcher))


def _with_lines_under_names(table: pl.DataFrame, bodies: Bodies, matcher: Matcher) -> pl.DataFrame:
    """Adds the app's lines that stand under a name without a mark."""
    told = table.filter((pl.col("kind") == "system") & (~pl.col("named") | pl.col("marked")))
    lines = under_names(bodies.sender, bodies.text, bodies.marked, app_is_told=len(told) > 0, matcher=matcher)
    if not lines:
        return table
    rows = sorted(lines)
    at = column(np.array(rows, np.int64))
    more = pl.DataFrame({
        "row": at, "text": bodies.text.gather(at), "kind": [lines[row].kind for row in rows],
        "detail": [lines[row].detail for row in rows],
    })  # fmt: skip
    more = more.with_columns(edited=pl.lit(value=False), attachment=pl.lit(None, pl.String))
    kept = ["row", "text", "kind", "detail", "edited", "attachment"]
    return pl.concat([table.join(more, on="row", how="anti").select(kept), more.select(kept)]).sort("row")


def _opens(text: pl.Series) -> Array:
    """Whether a body begins as a poll, an event or a place does."""
    openings = "|".join(sorted({re.escape(word.upper()) for key in ("poll", "event") for word in words(key)}))
    found = text.str.contains(rf"^(?:{openings})\s?:").to_numpy(writable=True)
    links = text.str.contains("://", literal=True).arg_true()  # far fewer than messages
    found[links.to_numpy()] |= text.gather(links).str.contains(_PLACE).to_numpy()
    return found


def _known(column: str, key: str) -> pl.Expr:
    """Whether the normalised word is one of a key's."""
    return pl.col(column).map_elements(lambda word: normalise(word) in words(key), return_dtype=pl.Boolean)


def _groups(table: pl.DataFrame, pattern: str, key: str) -> pl.DataFrame:
    """row and the pattern's groups for the texts it fits, with `known`: whether its word is one of a key's."""
    found = table.select("row", "marked", pl.col("text").str.extract_groups(pattern).alias("groups"))
    found = found.unnest("groups").drop_nulls("word")
    distinct = found.select("word").unique()
    distinct = distinct.with_columns(
        _known("word", key).alias("known") if len(distinct) else pl.lit(False).alias("known")
    )
    return found.join(distinct, on="word", how="left", maintain_order="left")


def _read_edits(table: pl.DataFrame) -> pl.DataFrame:
    """Adds `edited`, and takes the app's mark for it off the text."""
    may = table.filter(~pl.col("whole") & pl.col("named") & pl.col("text").str.ends_with(">"))
    rows = _groups(may, _EDITED, "edited").filter("known").select("row")
    edited = may.join(rows, on="row", how="semi").select("row", stripped=pl.col("text").str.replace(_EDITED, ""))
    return table.join(edited, on="row", how="left", maintain_order="left").with_columns(
        edited=pl.col("stripped").is_not_null(), text=pl.coalesce("stripped", "text")
    )


def _read_files(table: pl.DataFrame) -> pl.DataFrame:
    """Adds `attachment`: the name of a file that the message came with."""
    named = table.filter(pl.col("named") & ~pl.col("whole"))
    ios = _groups(named.filter(pl.col("text").str.contains(r">\s*$")), _IOS_FILE, "attached")
    android = _groups(named.filter(pl.col("text").str.contains(r"[)>](?:\r?\n|$)")), _ANDROID_FILE, "file_attached")
    ios = ios.filter(pl.col("known") | (pl.col("mark") != "") | pl.col("marked"))
    android = android.filter(pl.col("known") | pl.col("marked") | (pl.col("mark") != ""))
    files = pl.concat([ios.select("row", "file"), android.select("row", "file")]).unique("row", keep="first")
    return table.join(files.rename({"file": "attachment"}), on="row", how="left", maintain_order="left")


def _read_lines(table: pl.DataFrame, bodies: Bodies, matcher: Matcher) -> pl.DataFrame:
    """Adds `kind` and `detail`; what the app says begins without its direction marks."""
    asked = table.filter(pl.col("listed") & pl.col("attachment").is_null())
    what = ["text", "named", "marked", "edited"]
    counts = asked.group_by(what, maintain_order=True).agg(pl.len(), pl.col("sender").unique())
    people: set[str] | None = None
    answers = []
    for text, named, marked, edited, count, senders in counts.iter_rows():
        if edited:  # nobody but a person can edit a message: it is text, or the caption of what was left out (iOS)
            is_caption = bodies.bracketed and (marked or "\u200e" in text)
            line = matcher.match(text.rpartition("\u200e")[2], ("media",)) if is_caption else None
            answers.append((line.kind, line.detail) if line else ("text", None))
            continue
        if named and marked and bodies.bracketed and len(senders) == 1:
            people = _people(bodies) if people is None else people
            if is_own_sentence(text, senders[0], people, matcher):
                answers.append(("text", None))
                continue
        line = _read_line(text, named, marked, bodies.bracketed, matcher)
        if line is None and named and marked and bodies.bracketed:
            people = _people(bodies) if people is None else people
            line = AppLine("media" if _is_left_out(text, senders, people) else "system", None, "")
        elif line is None and named and (count > 2 or len(senders) > 1) and not bodies.bracketed:
            line = AppLine("media", None, "") if re.fullmatch(_UNKNOWN_MEDIA, text) and " " in text else None
        answers.append((line.kind, line.detail) if line else ("text", None))
    kinds = counts.select(what).with_columns(
        pl.Series("kind", [kind for kind, _ in answers], dtype=pl.String),
        pl.Series("detail", [detail for _, detail in answers], dtype=pl.String),
    )
    table = table.join(kinds, on=what, how="left", maintain_order="left")
    return _sort_files(table).with_columns(
        text=pl.when(pl.col("kind") != "text").then(pl.col("text").str.strip_chars_start(_MARKS)).otherwise("text")
    )


def _sort_files(table: pl.DataFrame) -> pl.DataFrame:
    """Kind and detail of messages with a file, by its extension."""
    extension = pl.col("attachment").str.extract(r"\.([A-Za-z0-9]+)$").str.to_lowercase()
    sort = extension.replace_strict(_SORT_OF, default="document", return_dtype=pl.String)
    animated = pl.col("attachment").str.contains(r"(?i)\bGIF-")
    sort = pl.when(animated).then(pl.lit("gif")).otherwise(sort)
    is_file, is_contact = pl.col("attachment").is_not_null(), sort == "contact"
    kind = pl.when(is_contact).then(pl.lit("contact")).otherwise(pl.lit("media"))
    return table.with_columns(
        kind=pl.when(is_file).then(kind).otherwise(pl.col("kind").fill_null("text")),
        detail=pl.when(is_file & ~is_contact).then(sort).otherwise("detail"),
    )


def _read_line(text: str, named: bool, marked: bool, bracketed: bool, matcher: Matcher) -> AppLine | None:
    """What one body is; None for a person's text, and for what the app says in no language of the tables."""
    if not named:
        return matcher.match(text) or AppLine("system", None, "")
    if (word := _first_word(text, "poll")) and (marked or _has_options(text)):
        return AppLine("poll", None, word)
    if (word := _first_word(text, "event")) and marked:
        return AppLine("event", None, word)
    if text == "null" and not bracketed:  # what Android leaves of a photo that could be seen once
        return AppLine("media", "view_once", "")
    if re.match(_PLACE, text) or (marked and re.match(_MARKED_PLACE, text)):
        return AppLine("location", None, "")
    if marked and bracketed:
        return matcher.match(text) or matcher.match(text.rpartition("\u200e")[2], ("media",))
    # "<Media omitted>" may be followed by a caption on lines of its own (Android), and may follow one (iOS).
    whole = text.partition("\n")[0] if text[:1] in ("<", "‹") else text.rpartition("\u200e")[2] if bracketed else text
    line = matcher.match(whole, ("media", "deleted", "call", "contact", "location"))
    if line and line.kind == "media" and not bracketed and text.strip()[:1] not in ("<", "‹"):
        return None
    return line


def _people(bodies: Bodies) -> set[str]:
    """Who writes messages, not only lines of the app (as the group itself does on iOS)."""
    return set(bodies.sender.filter(pl.Series(~bodies.marked)).drop_nulls().unique())


def _is_left_out(text: str, senders: list[str | None], people: set[str]) -> bool:
    """Whether a line of the app in no known language is the place of a file: short, from people, and about nobody."""
    short = len(text) <= 40 and "\n" not in text and not re.search(r"[\d\"“”„«»]", text)
    return short and set(senders) <= people and not any(name in text for name in people)


def _has_options(text: str) -> bool:
    return any(line.strip("\u200e ").partition(":")[0].lower() in words("option") for line in text.split("\n")[1:])


def _first_word(text: str, key: str) -> str | None:
    """The language of the key's word that opens a body before a colon."""
    return words(key).get(normalise(text.partition(":")[0])) if ":" in text[:40] and not text[:1].islower() else None


def _spread(bodies: Bodies, table: pl.DataFrame) -> pl.DataFrame:
    """The whole columns from the few rows that were looked at."""
    count = len(bodies.text)
    rows = table["row"].to_numpy()
    index = np.full(count, len(rows), np.int32)  # where the few columns have a null
    index[rows] = np.arange(len(rows))
    at, null = column(index), pl.Series([None], dtype=pl.String)
    kind = np.zeros(count, np.uint32)
    kind[rows] = table["kind"].cast(SCHEMA["kind"]).to_physical().to_numpy()
    edited = np.zeros(count, bool)
    edited[rows] = table["edited"].to_numpy()
    text, sender = bodies.text, bodies.sender
    changed = (table["text"] != text.gather(table["row"])).arg_true()
    if len(changed):
        text = bodies.strings.replace(rows[changed.to_numpy()], table["text"].gather(changed).to_list()).to_series()
    system = kind == KINDS.index("system")
    if (system & sender.is_not_null().to_numpy()).any():
        sender = pl.select(pl.when(column(~system)).then(sender)).to_series()
    return pl.DataFrame({
        "sender": sender, "text": text, "kind": column(kind).cat.to(SCHEMA["kind"]),
        "attachment": pl.concat([table["attachment"], null]).gather(at), "edited": column(edited),
        "detail": pl.concat([table["detail"], null]).gather(at),
    })  # fmt: skip

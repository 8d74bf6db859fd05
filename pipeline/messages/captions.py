"""What people wrote under a picture or a file: in some exports the whole text, in others beside the app's own words."""

import polars as pl

__all__ = ["captions"]

_MARK = r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]"
_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Android: "<Media omitted>" or "f (file attached)" on a line of its own, the caption on those below.
_LINE_ABOVE = rf"^(?:[<‹]|[^\n]{{1,250}}?\.[A-Za-z0-9]{{1,8}} [(<]{_MARK}*[^()<>:\n]{{3,40}}[)>](?:\r?\n|$))"
# iOS: the caption, then "<attached: f>", or the app's mark and "image omitted".
_FILE_BEHIND = rf"{_MARK}*<[^<>\n]*>\s*$"
_OMITTED_BEHIND = r"(?s)^(.*)\u200e"
_ABOUT_A_FILE = r"•\s*\u200e"  # "Plan.pdf • 2 pages": the app's words as well


def captions(messages: pl.DataFrame) -> pl.Series:
    """The caption of each message of kind media, null where there is none and for all other kinds."""
    text, is_media = pl.col("text"), pl.col("kind").cast(pl.String) == "media"
    media = messages.with_row_index("row").filter(is_media).select("row", "text", "attachment")
    # Where exports have a field for the file, the text is caption and nothing else, and often empty.
    names_file = text.str.contains(pl.col("attachment"), literal=True)
    all_caption = (~names_file).fill_null(value=bool((media["text"] == "").any()))
    caption = (
        pl.when(all_caption).then(text)
        .when(text.str.contains(_LINE_ABOVE)).then(text.str.replace(r"^[^\n]*\n?", ""))
        .when(text.str.contains(_FILE_BEHIND)).then(text.str.replace(_FILE_BEHIND, ""))
        .when(text.str.contains("\u200e", literal=True)).then(text.str.extract(_OMITTED_BEHIND))
        .str.strip_chars(f" \t\r\n{_MARKS}")
    )  # fmt: skip
    found = media.select("row", caption.alias("caption")).filter(
        pl.col("caption") != "", ~pl.col("caption").str.contains(_ABOUT_A_FILE)
    )
    rows = messages.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
    return rows.join(found, on="row", how="left", maintain_order="left")["caption"]

"""What is measured on one message: counts and marks, as polars expressions over its text."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

__all__ = ["CJK", "EMOJI", "GREETING", "LAUGH", "TERM", "WORD", "measure"]

# Chinese and Japanese are written without spaces: two characters there stand for about one word.
CJK = r"\p{Han}\p{Hiragana}\p{Katakana}"
WORD = rf"[{CJK}]{{1,2}}|[\p{{L}}\p{{N}}][\p{{L}}\p{{M}}\p{{N}}'’]*"
# Where words are shown, the term there is a few characters with the ending that follows: half a word would say nothing.
TERM = r"[\p{Han}々]{1,4}\p{Hiragana}*|\p{Hiragana}+|[\p{Katakana}ー]+|[\p{L}\p{N}][\p{L}\p{M}\p{N}']*"

# One match an emoji as seen: flags, keycaps, skin tones, sequences joined by U+200D, tagged flags (Scotland).
# The Extended_Pictographic signs that are letters first (© ® ™ and such) count only in their emoji form.
PICTURE = r"(?:[©®™‼⁉〰〽㊗㊙]\x{FE0F}|[\p{Extended_Pictographic}--[©®™‼⁉〰〽㊗㊙]])"
TONED = rf"{PICTURE}(?:\x{{FE0F}}|\p{{Emoji_Modifier}})?(?:[\x{{E0020}}-\x{{E007F}}]+)?"
EMOJI = rf"(?:\p{{RI}}\p{{RI}}|[0-9#*]\x{{FE0F}}?\x{{20E3}}|{TONED}(?:\x{{200D}}(?:{TONED}|[♀♂⚕]\x{{FE0F}}?))*)"
MAY_HOLD_EMOJI = r"\p{Extended_Pictographic}|\p{RI}|\x{20E3}"

# Laughter as it is typed, by its form. Each pattern matches a whole word, in lower case.
LAUGH: tuple[tuple[str, str], ...] = (
    ("haha", r"[bw]?a*h*(?:ha+h?){2,}\w{0,2}|a?(?:ha){2,}h?|ahah\w*"),
    ("hehe", r"h*e?(?:he+h?){2,}"),
    ("hihi", r"h*i?(?:hi+h?){2,}"),
    ("hoho", r"(?:ho){2,}h?"),
    ("jaja", r"a*j*a*(?:ja+j?){2,}\w{0,2}"),
    ("jeje", r"(?:je){2,}j?"),
    ("kkk", r"k{3,}"),
    ("wkwk", r"(?:wk){2,}w?"),
    ("rsrs", r"(?:rs){2,}"),
    ("555", r"5{3,}\+?"),
    ("lol", r"lo+l|lolo+l\w*|lulz?"),
    ("lmao", r"lma+o+|lmfao+|rofl"),
    ("xd", r"x+d+"),
    ("mdr", r"mdr+|ptdr+"),
    ("хаха", r"а?х?(?:ха){2,}х?|(?:ах){2,}а?\w{0,2}"),
    ("ههه", r"ه{3,}"),
    ("哈哈", r"哈{2,}"),
    ("呵呵", r"呵{2,}"),
    ("笑", r"笑"),
    ("www", r"w{3,}|[wｗ]{2,}"),
    ("ㅋㅋ", r"ㅋ{2,}"),
    ("ㅎㅎ", r"ㅎ{2,}"),
)
# Letters that any word of laughter has one of, in lower case.
LAUGH_HINTS = [
    "haha", "haah", "hahh", "ahah", "hehe", "hihi", "hoho", "jaja", "jeje", "kkk", "wkwk", "rsrs", "555", "lol", "lul",
    "lool", "lmao", "lmaa", "lmfao", "rofl", "xd", "mdr", "ptdr", "хаха", "ахах", "ههه", "www", "ｗｗ",
]  # fmt: skip
# Some laughs are glued to the word before them, so that their letters make words of their own.
GLUED = "笑|哈+|呵+|ㅋ+|ㅎ+"
GLUED_HINTS = ["笑", "哈哈", "呵呵", "ㅋㅋ", "ㅎㅎ"]
LETTER = rf"[\p{{L}}\p{{N}}--[ㅋㅎ{CJK}]]"
LAUGH_WORD = rf"{GLUED}|{LETTER}*(?:{'|'.join(LAUGH_HINTS)}){LETTER}*"

GREETING_FORMS = (
    "good morning|good evening|good night|gm|gn|morning|hi|hiya|hey|heya|hello|yo|sup|what'?s up|howdy|"
    "moin|guten morgen|guten abend|gute nacht|hallo|servus|"
    "hola|buenos d[ií]as|buenas(?: tardes| noches)?|oi|ol[aá]|bom dia|boa tarde|boa noite|"
    "salut|coucou|bonjour|bonsoir|bonne nuit|ciao|buongiorno|buonasera|buonanotte|"
    "hoi|goedemorgen|merhaba|selam|günaydın|iyi geceler|halo|selamat pagi|selamat malam|"
    "namaste|namaskar|salaam?|assalamu? ?alaikum|"
    "привет|здравствуй(?:те)?|доброе утро|добрый (?:день|вечер)|спокойной ночи|"
    "नमस्ते|नमस्कार|सुप्रभात|शुभ रात्रि|مرحبا|السلام عليكم|صباح الخير|مساء الخير|تصبح على خير|سلام|"
    "おはよう(?:ございます)?|こんにちは|こんばんは|おやすみ(?:なさい)?|你好|早上好|早安|晚安|안녕(?:하세요)?"
)
GREETING = rf"(?i)^[^\p{{L}}]*((?:{GREETING_FORMS})+?)[aeiouy]*(?:[^\p{{L}}\p{{M}}]|$)"


LINK = r"(?:https?://|www\.)"


def measure(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Measure messages (row, sent_at, person, text): the rows with their measures, the emoji used, the laughs.

    Measures, null where `text` is null: chars, words, emoji UInt32 and Booleans. question, exclaim, ellipsis and link
    are anywhere in the text, only_link is all of it, stop ends it; lower and upper are the case of its first letter
    (both false in scripts without case); shout is capitals only, two at least; laugh is a word of laughter. Emoji: one
    row a use (row, sent_at, person, emoji without U+FE0F). Laughs: one row a message and form (row, sent_at, person,
    form).
    """
    rows = rows.with_columns(_count_words(rows["text"]), *_marks(pl.col("text")))
    emoji, laughs = _extract_emoji(rows), _extract_laughs(rows)
    used = emoji.group_by("row").len("emoji")
    written = pl.col("text").is_not_null()
    rows = rows.join(used, on="row", how="left", maintain_order="left").with_columns(
        pl.when(written).then(pl.col("emoji").fill_null(0)).alias("emoji"),
        pl.when(written).then(pl.col("row").is_in(laughs["row"].unique().implode())).alias("laugh"),
    )
    return rows, emoji, laughs


TOGETHER = 2_000  # texts whose words are counted at once: more do not fit into a core's cache
END = 2
LETTERS = bytes(END if code == 0 else code < 128 and chr(code).isalnum() for code in range(256))


def _count_words(text: pl.Series) -> pl.Series:
    """Matches of WORD in each text; in ASCII those are runs of letters and digits, counted byte by byte for speed."""
    plain = (text.str.len_bytes() == text.str.len_chars()).fill_null(value=False)
    counts = np.zeros(len(text), np.uint32)
    others = ~plain & text.is_not_null()
    counts[others.to_numpy()] = text.filter(others).str.count_matches(WORD).to_numpy()
    ascii_only = text.filter(plain)
    parts = [_count_runs(ascii_only[at : at + TOGETHER]) for at in range(0, len(ascii_only), TOGETHER)]
    if parts:
        counts[plain.to_numpy()] = np.concatenate(parts)
    return pl.select(pl.when(text.is_not_null()).then(pl.Series("words", counts))).to_series()


def _count_runs(text: pl.Series) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Runs of letters and digits in each ASCII text."""
    # An apostrophe inside a word ends none, and one outside is in none: the count is the same without them.
    joined = b"\0" + text.str.join("\0").item().encode()
    marks = np.frombuffer(joined.translate(LETTERS, b"'"), np.uint8)
    ends = np.flatnonzero(marks == END)
    if len(ends) != len(text):  # a text holds the separator itself
        return text.str.count_matches(WORD).to_numpy()
    letter = marks == 1
    begins = np.zeros(len(marks), np.uint8)
    np.greater(letter[1:], letter[:-1], out=begins[1:].view(bool))
    return np.add.reduceat(begins, ends, dtype=np.uint32)


def _marks(text: pl.Expr) -> list[pl.Expr]:
    return [
        text.str.len_chars().alias("chars"),
        text.str.contains(r"[?？؟]").alias("question"),
        text.str.contains(r"[!！]").alias("exclaim"),
        text.str.contains(r"\.\.|…").alias("ellipsis"),
        text.str.contains(r"(?:[^.。]|^)[.。۔।]\s*$").alias("stop"),
        text.str.contains(r"^[^\p{L}]*\p{Ll}").alias("lower"),
        text.str.contains(r"^[^\p{L}]*\p{Lu}").alias("upper"),
        text.str.contains(r"^[^\p{Ll}]*\p{Lu}[^\p{Ll}]*\p{Lu}[^\p{Ll}]*$").alias("shout"),
        text.str.contains(LINK).alias("link"),
        text.str.contains(rf"^\s*{LINK}\S*\s*$").alias("only_link"),
    ]


def _extract_emoji(rows: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text")
    # One filter after the other: the dear one then sees only what the cheap one left.
    beyond_ascii = rows.select("row", "sent_at", "person", "text").filter(text.str.len_bytes() != text.str.len_chars())
    return (
        beyond_ascii.filter(text.str.contains(MAY_HOLD_EMOJI))
        .select("row", "sent_at", "person", text.str.extract_all(EMOJI).alias("emoji"))
        .explode("emoji", empty_as_null=True)
        .drop_nulls("emoji")
        .with_columns(pl.col("emoji").str.replace_all("\ufe0f", "", literal=True))
    )


def _extract_laughs(rows: pl.DataFrame) -> pl.DataFrame:
    """Few messages hold the letters of a laugh at all; only of those the words with such letters are looked at."""
    text, word = pl.col("text"), pl.col("word")
    words = (
        rows.select("row", "sent_at", "person", "text")
        .filter(text.str.contains_any(LAUGH_HINTS + GLUED_HINTS, ascii_case_insensitive=True))
        .with_columns(text.str.to_lowercase().str.replace_all(LINK + r"\S*", " ").str.extract_all(LAUGH_WORD))
        .rename({"text": "word"})
        .explode("word", empty_as_null=True)
    )
    rules = [(name, rf"^(?:{rule})$") for name, rule in LAUGH]
    form = pl.coalesce(*(pl.when(word.str.contains(rule)).then(pl.lit(name)) for name, rule in rules))
    forms = words.select(word.unique()).with_columns(form.alias("form")).drop_nulls("form")
    found = words.join(forms, on="word", how="inner", maintain_order="left")
    return found.drop("word").unique(["row", "form"], maintain_order=True)

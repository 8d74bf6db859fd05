"""The words around a conversation: the system prompt, who speaks in a user turn, the marks for what cannot be read.

Training writes them through these functions and chat does too, so both hold the same tokens.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import polars as pl

from pipeline.dataset.config import DatasetConfig, Summary
from pipeline.prompt import Message, join_bubbles

__all__ = [
    "LANGUAGE",
    "OPENER",
    "PROMPTS",
    "chat_opening",
    "default_prompt",
    "find_language",
    "mark",
    "situation",
    "system_prompt",
    "user_content",
]

# Stands for the other side where the person speaks first. Chat templates want a user message there.
OPENER = "[start]"

LANGUAGE = "en"  # where a person wrote too little to tell, or in a language that has no prompt here
JUDGED_FROM, JUDGED_TO = 600, 20_000  # characters of the person's; less misleads a detector
MOST_NAMES = 6  # in a big group the list of names would cost more tokens than it is worth

# The default prompt in the chat's own language, {situation} last so that the same words precede it every time.
PROMPTS = {
    "ar": "أنت {person}، تتراسل مع {others}. {situation}",
    "cs": "Jsi {person} a píšeš si s {others}. {situation}",
    "de": "Du bist {person} und schreibst mit {others}. {situation}",
    "en": "You are {person}, texting with {others}. {situation}",
    "es": "Eres {person} y te escribes con {others}. {situation}",
    "fa": "تو {person} هستی و با {others} پیام رد و بدل می‌کنی. {situation}",
    "fr": "Tu es {person} et tu écris à {others}. {situation}",
    "hi": "तुम {person} हो और {others} से चैट कर रहे हो। {situation}",
    "id": "Kamu adalah {person}, sedang berkirim pesan dengan {others}. {situation}",
    "it": "Sei {person} e scrivi a {others}. {situation}",
    "ja": "あなたは{person}で、{others}とメッセージをしています。{situation}",
    "ko": "당신은 {person}이고 {others}와 메시지를 주고받습니다. {situation}",
    "nl": "Je bent {person} en appt met {others}. {situation}",
    "pl": "Jesteś {person} i piszesz z {others}. {situation}",
    "pt": "Você é {person} e troca mensagens com {others}. {situation}",
    "ru": "Ты {person}, переписываешься с {others}. {situation}",
    "sv": "Du är {person} och skriver med {others}. {situation}",
    "tr": "Sen {person}, {others} ile yazışıyorsun. {situation}",
    "uk": "Ти {person}, листуєшся з {others}. {situation}",
    "zh": "你是{person}，正在和{others}聊天。{situation}",
}


def find_language(messages: pl.DataFrame, person: str) -> str:
    """The language that the person writes in (ISO 639-1), one of PROMPTS."""
    texts = messages.filter(pl.col("sender") == person, pl.col("kind").cast(pl.String) == "text")["text"]
    sample = texts.gather_every(max(1, len(texts) // 1000))
    text = " ".join(sample.str.replace_all(r"https?://\S+|[\d\n]", " ").to_list())[:JUDGED_TO]
    if len(text) < JUDGED_FROM:
        return LANGUAGE
    from py3langid import classify  # type: ignore[import-untyped]

    language = str(classify(text)[0])
    return language if language in PROMPTS else LANGUAGE


def default_prompt(language: str | None) -> str:
    """The prompt's template in this language (or a variant of it), English where there is none."""
    return PROMPTS.get((language or LANGUAGE).replace("-", "_").split("_")[0], PROMPTS[LANGUAGE])


def mark(kind: str) -> str:
    """What stands for a message without words: `[media]`, `[link]`, `[deleted]`, ..."""
    return f"[{kind}]"


def situation(now: datetime, silence: timedelta | None, language: str = "en") -> str:
    """When a conversation begins and after what silence (null: the first one): `Monday 22:00, +9 hours.`"""
    weekday = weekdays(language)[now.weekday()]
    after = f", +{spoken_duration(round(silence.total_seconds()), language)}" if silence is not None else ""
    return f"{weekday} {now.hour:02d}:00{after}."


@lru_cache
def weekdays(language: str) -> tuple[str, ...]:
    from babel import Locale

    names = Locale.parse(language).days["stand-alone"]["wide"]
    return tuple(names[day] for day in range(7))


@lru_cache(maxsize=4096)
def spoken_duration(seconds: int, language: str) -> str:
    from babel.dates import format_timedelta

    return str(format_timedelta(timedelta(seconds=seconds), locale=language))


def system_prompt(config: DatasetConfig, others: Sequence[str], now: datetime, silence: timedelta | None) -> str:
    """The system prompt of a conversation that begins at `now`; empty where the config's template is empty."""
    names = ", ".join(others[:MOST_NAMES]) + (", …" if len(others) > MOST_NAMES else "")
    words = situation(now, silence, config.language or LANGUAGE) if config.situation else ""
    template = default_prompt(config.language) if config.system_prompt is None else config.system_prompt
    return template.format(person=config.person, others=names, situation=words).strip()


def chat_opening(
    config: DatasetConfig, summary: Summary, now: datetime, silence: timedelta | None = None
) -> list[Message]:
    """The system message of a chat with the twin, or none; without `silence` the chat's typical one is assumed."""
    silence = silence or timedelta(minutes=summary.typical_silence_minutes)
    text = system_prompt(config, summary.others, now, silence)
    return [Message(role="system", content=text)] if text else []


def user_content(said: Iterable[tuple[str, Sequence[str]]], others: Sequence[str]) -> str:
    """A user turn from (sender, bubbles) of everyone but the person; in a group each run begins with its name."""
    group = len(others) > 1
    bubbles: list[str] = []
    before = None
    for sender, run in said:
        for bubble in run:
            bubbles.append(f"{sender}: {bubble}" if group and sender != before else bubble)
            before = sender
    return join_bubbles(bubbles)

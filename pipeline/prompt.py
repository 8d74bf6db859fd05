"""A conversation as text and token ids: the one place where that happens, for training, chat and exam alike.

A model's chat template is read once, into its pieces (`read_template`), by rendering a conversation of marks. From then
on conversations are put together from the pieces. So a prompt in chat holds the very ids that training saw, an earlier
prompt is always a prefix of a later one, and a run's folder can keep the pieces (some templates print today's date).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypedDict

from pydantic import BaseModel, ConfigDict

from pipeline.errors import ChatError

__all__ = [
    "Encoded",
    "Message",
    "Segment",
    "Template",
    "break_ids",
    "encode",
    "encode_all",
    "encode_prompt",
    "end_ids",
    "join_bubbles",
    "read_template",
    "reply_text",
    "segments",
    "split_bubbles",
]

BUBBLE_BREAK = "\n"
INNER_NEWLINE = "\u2028"  # Unicode's own "new line, same paragraph"
ESCAPE = "\u241b"
_ESCAPES = {ESCAPE: ESCAPE + "e", INNER_NEWLINE: ESCAPE + "l", BUBBLE_BREAK: INNER_NEWLINE}
_UNESCAPES = {escaped: plain for plain, escaped in _ESCAPES.items()}
_TO_ESCAPE = re.compile(f"[{ESCAPE}{INNER_NEWLINE}{BUBBLE_BREAK}]")
_TO_UNESCAPE = re.compile(f"{ESCAPE}[el]|{INNER_NEWLINE}")


class Message(TypedDict):
    """One message in the Hub's conversational form; the twin is the assistant."""

    role: Literal["system", "user", "assistant"]
    content: str


def join_bubbles(bubbles: Sequence[str]) -> str:
    """One turn's bubbles as one text; `split_bubbles` gives back exactly these bubbles."""
    return BUBBLE_BREAK.join(_TO_ESCAPE.sub(lambda m: _ESCAPES[m[0]], bubble) for bubble in bubbles)


def split_bubbles(text: str) -> list[str]:
    """The bubbles of one turn's text, as a model wrote it or as `join_bubbles` made it."""
    return [_TO_UNESCAPE.sub(lambda m: _UNESCAPES[m[0]], bubble) for bubble in text.split(BUBBLE_BREAK)]


class Template(BaseModel):
    """A chat template in pieces; `before_system` is null where the model knows no system message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opening: str  # up to the first user content, without a system message
    before_system: str | None
    after_system: str | None  # from the system content to the first user content
    to_twin: str  # from a user content to where the reply begins
    before_reply: str  # the space of `[/INST] hello`: the reply's, since word pieces carry their space in front
    end_of_turn: str  # what closes a reply: learned, and stopped at
    to_user: str  # from there to the next user content
    trims: bool  # whether the template strips contents


class Segment(NamedTuple):
    """A stretch of a conversation that is tokenised on its own: (text, is content) parts, learned from or not."""

    parts: tuple[tuple[str, bool], ...]
    learned: bool


@dataclass(frozen=True)
class Encoded:
    """Token ids, and for each whether it is learned from."""

    ids: list[int]
    learned: list[bool]


# What a base model, which has no template, is taught to read. Newlines at the edge of a reply split no word piece.
_PLAIN_USER, _PLAIN_TWIN = "### Them\n", "\n### You\n"

_SYSTEM, _USER_1, _TWIN_1, _USER_2, _TWIN_2 = "SYSTEMMARK", "USERMARKONE", "TWINMARKONE", "USERMARKTWO", "TWINMARKTWO"


def read_template(tokenizer: Any) -> Template:
    """The pieces of the tokenizer's chat template, or of a plain one where it has none (a base model).

    Raises ChatError where no token can end a turn, or the template drops or reorders what it is given.
    """
    if tokenizer.eos_token is None:
        raise ChatError("This model has no end-of-text token, so a twin could not learn to stop: choose another model.")
    if not tokenizer.chat_template:
        return Template(
            opening=_PLAIN_USER,
            before_system="",
            after_system=f"\n\n{_PLAIN_USER}",
            to_twin=_PLAIN_TWIN,
            before_reply="",
            end_of_turn=tokenizer.eos_token,
            to_user=f"\n{_PLAIN_USER}",
            trims=False,
        )
    turns = [("user", _USER_1), ("assistant", _TWIN_1), ("user", _USER_2)]
    prompt = _render(tokenizer, turns, generate=True)
    whole = _render(tokenizer, [*turns, ("assistant", _TWIN_2)], generate=False)
    if prompt is None or whole is None:
        raise ChatError("This model's chat template cannot hold a conversation of two: choose a chat model.")
    opening, _, after_twin, generation = _between(prompt, (_USER_1, _TWIN_1, _USER_2))
    to_twin = generation.rstrip(" ")
    before_twin = _between(whole, (_USER_2, _TWIN_2))[1]
    space = before_twin.removeprefix(to_twin) if before_twin.startswith(to_twin) else generation[len(to_twin) :]
    end_of_turn = _end_of_turn(tokenizer, after_twin)
    before_system, after_system = _system_pieces(tokenizer, turns)
    spaced = _render(tokenizer, [("user", f"\t\t{_USER_1}\t\t")], generate=True) or ""
    return Template(
        opening=opening,
        before_system=before_system,
        after_system=after_system,
        to_twin=to_twin,
        before_reply=space if _tokenizes_spaces(tokenizer) else "",
        end_of_turn=end_of_turn,
        to_user=after_twin.removeprefix(end_of_turn),
        trims=f"\t{_USER_1}\t" not in spaced,
    )


def _render(tokenizer: Any, turns: Iterable[tuple[str, str]], *, generate: bool) -> str | None:
    from jinja2.exceptions import TemplateError

    messages = [{"role": role, "content": content} for role, content in turns]
    try:
        # Models that can think aloud first are told not to; other templates do not look at the flag.
        text: str = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=generate, enable_thinking=False
        )
    except TemplateError:
        return None
    return text


def _between(text: str, marks: Sequence[str]) -> list[str]:
    """The pieces of `text` around `marks`, in order. Raises ChatError where a mark is missing or moved."""
    pieces, start = [], 0
    for mark in marks:
        at = text.find(mark, start)
        if at < 0:
            raise ChatError("This model's chat template drops or reorders messages: choose another model.")
        pieces.append(text[start:at])
        start = at + len(mark)
    return [*pieces, text[start:]]


def _tokenizes_spaces(tokenizer: Any) -> bool:
    """Whether a space in front of a text changes its tokens; sentencepiece models put one there by themselves."""
    plain, spaced = tokenizer(["a", " a"], add_special_tokens=False).input_ids
    return bool(plain != spaced and len(plain) == len(spaced))


def _system_pieces(tokenizer: Any, turns: list[tuple[str, str]]) -> tuple[str | None, str | None]:
    text = _render(tokenizer, [("system", _SYSTEM), *turns], generate=True)
    if text is None or _SYSTEM not in text or text.index(_SYSTEM) > text.index(_USER_1):
        return None, None
    before, after, *_ = _between(text, (_SYSTEM, _USER_1))
    return before, after


def _end_of_turn(tokenizer: Any, after_twin: str) -> str:
    """What follows a reply, up to and with the first special token; else the end-of-text token, which we then add."""
    special = _special_pattern(tokenizer, only_special=True)
    found = special.search(after_twin) if special else None
    return after_twin[: found.end()] if found else str(tokenizer.eos_token)


def _special_pattern(tokenizer: Any, *, only_special: bool = False) -> re.Pattern[str] | None:
    tokens = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special or not only_special}
    tokens |= set(tokenizer.all_special_tokens)
    ordered = sorted((token for token in tokens if token.strip()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None


def segments(template: Template, messages: Sequence[Message], learn_from: int = 0) -> list[Segment]:
    """The stretches of a conversation: prompt, reply, prompt, reply, ...; lengths in tokens add up.

    messages: an optional system message, then user and assistant in turn, user first. Assistant messages from index
    `learn_from` on are learned, end of turn included. One that ends with the user ends where the reply begins.
    """
    first, turns = 0, list(messages)
    parts: list[tuple[str, bool]] = []
    made: list[Segment] = []
    clean = str.strip if template.trims else str
    if turns and turns[0]["role"] == "system":
        first, system = 1, clean(turns.pop(0)["content"])
        if template.before_system is None or template.after_system is None:
            parts = [(template.opening, False), (f"{system}\n\n", True)]
        else:
            parts = [(template.before_system, False), (system, True), (template.after_system, False)]
    else:
        parts = [(template.opening, False)]
    for index, message in enumerate(turns):
        content = clean(message["content"])
        if message["role"] != ("assistant" if index % 2 else "user"):
            raise ValueError("a conversation goes user, assistant, user, ... after an optional system message")
        if message["role"] == "user":
            parts += [(content, True), (template.to_twin, False)]
            made.append(Segment(tuple(parts), learned=False))
        else:
            reply = ((template.before_reply, False), (content, True), (template.end_of_turn, False))
            made.append(Segment(reply, learned=index + first >= learn_from))
            parts = [(template.to_user, False)]
    return made


def encode_all(
    template: Template, tokenizer: Any, conversations: Iterable[tuple[Sequence[Message], int]]
) -> list[Encoded]:
    """`encode` for many (messages, learn_from) at once, each different stretch tokenised once."""
    made = [segments(template, messages, learn_from) for messages, learn_from in conversations]
    special = _special_pattern(tokenizer)
    ids: dict[tuple[tuple[str, bool], ...], list[int]] = {}
    plain: dict[str, list[tuple[tuple[str, bool], ...]]] = {}
    for segment in (segment for conversation in made for segment in conversation):
        if segment.parts in ids:
            continue
        if special and any(content and special.search(text) for text, content in segment.parts):
            ids[segment.parts] = _ids_of_parts(tokenizer, segment.parts)
        else:
            ids[segment.parts] = []
            plain.setdefault("".join(text for text, _ in segment.parts), []).append(segment.parts)
    if plain:
        encoded = tokenizer(list(plain), add_special_tokens=False).input_ids
        for keys, token_ids in zip(plain.values(), encoded, strict=True):
            ids.update(dict.fromkeys(keys, token_ids))
    return [
        Encoded(
            ids=[i for segment in conversation for i in ids[segment.parts]],
            learned=[segment.learned for segment in conversation for _ in ids[segment.parts]],
        )
        for conversation in made
    ]


def _ids_of_parts(tokenizer: Any, parts: Sequence[tuple[str, bool]]) -> list[int]:
    """Ids of parts one by one, so that a message which spells out a special token stays mere text."""
    ids: list[int] = []
    for text, content in parts:
        ids += tokenizer(text, add_special_tokens=False, split_special_tokens=content).input_ids
    return ids


def encode(template: Template, tokenizer: Any, messages: Sequence[Message], learn_from: int = 0) -> Encoded:
    """Token ids of a conversation, and which are learned: assistant contents from `learn_from` on, with their end."""
    return encode_all(template, tokenizer, [(messages, learn_from)])[0]


def encode_prompt(template: Template, tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of a conversation that ends with the user, up to where the reply begins: the same as in training."""
    if not messages or messages[-1]["role"] != "user":
        raise ValueError("a prompt ends with a message of the user")
    return encode(template, tokenizer, messages).ids


def end_ids(template: Template, tokenizer: Any) -> list[int]:
    """Ids at which a reply is over: the template's end of turn and the model's end of text."""
    last = tokenizer(template.end_of_turn, add_special_tokens=False).input_ids[-1]
    return sorted({last, tokenizer.eos_token_id})


def break_ids(tokenizer: Any) -> list[int]:
    """Ids at which a bubble ends: the newline alone, or after signs that a tokenizer joins to it (".\\n")."""
    found = []
    for token, index in tokenizer.get_vocab().items():
        signs = token.removesuffix("<0x0A>").removesuffix("\u010a").removesuffix("\n")  # as tokenizers write a newline
        if signs != token and not re.search(r"[\w\s\u0120\u2581\u010a\u010d]", signs):
            found.append(index)
    return sorted(found)


def reply_text(template: Template, generated: str) -> str:
    """The reply in what a model wrote after a prompt, decoded with or without its special tokens."""
    text, ended, _ = generated.partition(template.end_of_turn)
    if not ended:
        space = template.end_of_turn[: len(template.end_of_turn) - len(template.end_of_turn.lstrip())]
        text = text.removesuffix(space)
    return text.removeprefix(template.before_reply)

"""The blind test as friends see it: a page of its own at /play/KEY, which shows approved moments and nothing else.

Plain HTML without scripts, apart from Gradio: a friend needs no cookie, loads nothing of the app and can ask it
nothing. The key is the owner's invitation; what a game holds is decided by the pipeline.

    /play/KEY            GET: what this is; POST: begin a game
    /play/KEY/GAME/2     GET: a question, or what was uncovered; POST: a guess
    /play/KEY/GAME/end   GET: the score
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from pipeline.charts import FIRST as PEOPLE
from pipeline.errors import ChatError
from web.bubbles import stack, visible_bubbles
from web.words import count

if TYPE_CHECKING:
    from pipeline.evaluation import Game, Invitation, Outcome, Question, Score

__all__ = ["PATH", "chance_line", "play"]

PATH = "/play/"
STYLE = Path(__file__).with_name("friends.css")
MOST_BODY = 4096  # bytes of a guess
POLICY = b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
NOBODY = "them"  # where the owner gave no name

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def play(scope: Scope, receive: Receive, send: Send, root: Path) -> None:
    """Answer a request whose path begins with PATH; `root` is the folder over all workspaces."""
    form = await _form(receive) if scope["method"] == "POST" else {}
    parts = scope["path"].removeprefix(PATH).strip("/").split("/")
    try:
        status, body = _answer(scope["method"], parts, form, root)
    except ChatError as error:
        status, body = 404, _page("Not here", f"<h1>Nothing to guess here</h1><p>{escape(str(error))}</p>")
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", POLICY),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-robots-tag", b"noindex"),
    ]
    if status == 303:
        headers.append((b"location", body.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if status == 303 else body.encode()})


async def _form(receive: Receive) -> dict[str, list[str]]:
    body = b""
    while len(body) <= MOST_BODY:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return parse_qs(body[:MOST_BODY].decode("ascii", "replace"))


def _answer(method: str, parts: Sequence[str], form: dict[str, list[str]], root: Path) -> tuple[int, str]:
    """(status, page), or (303, where to go on)."""
    from pipeline.evaluation import blind
    from pipeline.visitors import invited_runs

    run_dir = blind.invited(invited_runs(root), parts[0])
    invitation = blind.read_invitation(run_dir) if run_dir else None
    if run_dir is None or invitation is None:
        raise ChatError("This link leads nowhere, or its owner has deleted what it led to.")
    if len(parts) == 1:
        if method == "POST":
            game = blind.new_game(run_dir)
            return 303, f"{parts[0]}/{game.id}/0"
        moments = sum(one.approved for one in blind.read_rounds(run_dir))
        return 200, _start(invitation, moments)
    game = blind.read_game(run_dir, parts[1])
    if parts[2:] == ["end"]:
        return 200, _end(invitation, blind.score(run_dir, game), blind.score(run_dir))
    if len(parts) != 3 or not parts[2].isdecimal():
        raise ChatError("This link leads nowhere.")
    number = int(parts[2])
    if method == "POST":
        picked = form.get("picked", [""])[0]
        blind.guess(run_dir, game, number, int(picked) if picked.isdecimal() else -1)
        return 303, parts[2]
    question, found = blind.ask(run_dir, game, number), blind.outcome(run_dir, game, number)
    return 200, _question(invitation, game, question, found)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{escape(title)}</title><style>{STYLE.read_text(encoding="utf-8")}</style></head>'
        f"<body><main>{body}<footer>Chat Twin</footer></main></body></html>"
    )


def _name(invitation: Invitation) -> str:
    return f"<bdi>{escape(invitation.called)}</bdi>" if invitation.called else NOBODY


def _start(invitation: Invitation, moments: int) -> str:
    body = (
        f"<h1>Which one did {_name(invitation)} write?</h1>"
        f"<p>{count(moments, 'moment')} of a real chat. At each, one of the answers was really written by a person; "
        "the others are by models, one of which has learned to write the same way.</p>"
        '<form method="post"><button class="go">Begin</button></form>'
        "<p class=quiet>Your guesses are counted for the owner of this link, without your name.</p>"
    )
    return _page("Who wrote which?", body)


def _question(invitation: Invitation, game: Game, question: Question, found: Outcome | None) -> str:
    said = "".join(
        stack(
            visible_bubbles(one.content),
            "me twin" if one.role == "assistant" else "them",
            colour=PEOPLE[0] if one.role == "assistant" else "",
        )
        for one in question.history
    )
    last = question.number + 1 == question.of
    if found is None:
        head, foot = f"Which one did {_name(invitation)} write?", ""
    else:
        head = "Yes, that was the person." if found.right else f"No, that was {_who(found.names[found.picked])}."
        onward = (
            '<a class="go" href="end">The score</a>' if last else f'<a class="go" href="{question.number + 1}">Next</a>'
        )
        foot = f"<p>{onward}</p>"
    answers = "".join(_choice(place, text, found) for place, text in enumerate(question.answers))
    body = (
        f'<p class="quiet">{question.number + 1} of {question.of}</p><div class="conversation">{said}</div>'
        f'<h2>{head}</h2><form method="post" class="answers">{answers}</form>{foot}'
    )
    return _page("Who wrote which?", body)


def _choice(place: int, text: str, found: Outcome | None) -> str:
    bubbles = stack(visible_bubbles(text), "them")
    if found is None:
        return f'<button class="answer" name="picked" value="{place}">{bubbles}</button>'
    name = found.names[place]
    kind = "person" if name == "person" else "picked" if place == found.picked else ""
    return f'<div class="answer {kind}"><span class="label">{escape(_who(name))}</span>{bubbles}</div>'


def _who(name: str) -> str:
    return {"person": "the person", "twin": "the twin"}.get(name, "the base model")


def chance_line(score: Score) -> str:
    """A score in a sentence: the share found, its interval, and what blind luck would find."""
    return (
        f"{score.right:,} of {score.guesses:,} ({score.share:.0%}; 95 % interval {100 * score.low:.0f} to "
        f"{100 * score.high:.0f} %). Guessing blindly finds {score.chance:.0%}."
    )


def _end(invitation: Invitation, mine: Score, all_: Score) -> str:
    if not mine.guesses:
        raise ChatError("No guess was made in this game yet.")
    taken = mine.taken.get("twin", 0)
    body = (
        f"<h1>You found {_name(invitation)} {count(mine.right, 'time')} out of {mine.guesses}</h1>"
        f"<p>{escape(chance_line(mine))}</p>"
        f"<p>You took the twin for the person {count(taken, 'time')}.</p>"
        + (f'<p class="quiet">Everybody so far: {escape(chance_line(all_))}</p>' if all_.guesses > mine.guesses else "")
        + f'<form method="get" action="../../{escape(invitation.key)}"><button class="go">Play again</button></form>'
    )
    return _page("Your score", body)

"""The blind test: real moments, hidden answers of the person, the twin and the base model; who wrote which?

Rounds are made once and kept in the run's folder. The owner approves those that friends may see; a game holds no
others, and what is shown of a round is its moment and its answers, in an order that only the game knows.
"""

import json
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipeline.chat import Kind, load_twin
from pipeline.dataset import OPENER, read_dataset
from pipeline.errors import ChatError
from pipeline.evaluation.evaluate import held_out_moments, while_there
from pipeline.evaluation.exam import Name
from pipeline.evaluation.intervals import interval
from pipeline.evaluation.replies import Moment, held_out, prompts_at, sample_replies
from pipeline.inference import LoadedModels
from pipeline.progress import SILENT, Progress
from pipeline.runs import RunFolder
from pipeline.store import replace_text

__all__ = [
    "Game",
    "Invitation",
    "Outcome",
    "Question",
    "Round",
    "Said",
    "Score",
    "approve",
    "ask",
    "guess",
    "invite",
    "invited",
    "make_rounds",
    "new_game",
    "outcome",
    "read_game",
    "read_invitation",
    "read_rounds",
    "score",
]

MOST_GAMES = 500  # a run; each is a file
MOST_TOKENS = 128  # of an answer that is sampled
HISTORY = 5  # messages of a moment that are shown
SHORTEST, LONGEST = 12, 400  # characters of a reply that says something and can be read in a game


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(_Stored):
    """A message of a moment; the person is the assistant."""

    role: Literal["user", "assistant"]
    content: str


class Round(_Stored):
    """A moment of the held-out chat and who answered what there."""

    id: str
    history: list[Said]
    answers: dict[Name, str]
    approved: bool = False


class Invitation(_Stored):
    """The key under which friends play a run's approved rounds, and what they see the person called."""

    key: str
    called: str


class Game(_Stored):
    """One player's game: which rounds in which order, and the order of the answers in each. Never sent to a browser."""

    id: str
    rounds: tuple[str, ...]
    orders: tuple[tuple[Name, ...], ...]


class Question(_Stored):
    """What a player sees: the moment, and the answers without their names."""

    number: int
    of: int
    history: list[Said]
    answers: tuple[str, ...]


class Guess(_Stored):
    """A line of guesses.jsonl."""

    game: str
    round: str
    taken: Name
    answers: int


class Outcome(_Stored):
    """What a guess uncovers: whose each answer is, in the order shown, and whether the person was found."""

    right: bool
    names: tuple[Name, ...]
    picked: int


class Score(_Stored):
    """All guesses about a run: how often the person was found, with a 95 % interval; chance is one in the answers.

    taken: how often each was taken for the person.
    """

    guesses: int
    right: int
    share: float
    low: float
    high: float
    chance: float
    taken: dict[Name, int]


def make_rounds(
    run_dir: Path,
    count: int = 10,
    *,
    kinds: Sequence[Kind] = ("twin", "base"),
    progress: Progress = SILENT,
    loaded: LoadedModels | None = None,
    seed: int | None = None,
) -> list[Round]:
    """Sample answers at held-out moments and keep `count` as rounds that nobody but the owner may see yet.

    The base model is left out of a round where its answer goes on and on: anybody would tell. Raises ChatError.
    """
    loaded = loaded or LoadedModels()
    progress = while_there(run_dir, progress)
    chance = Random(secrets.randbits(64) if seed is None else seed)
    rows = read_dataset(RunFolder(run_dir).dataset.path).validation
    moments = held_out_moments(run_dir)
    picked = _spread(_apart(moments, [i for i, one in enumerate(moments) if _worth_asking(one)]), 2 * count, chance)
    answers: list[dict[Name, str]] = [{"person": moments[i].reply} for i in picked]
    for kind in kinds:
        twin = load_twin(run_dir, kind=kind, loaded=loaded)
        held = held_out(twin, rows)
        most = min(twin.generation.max_new_tokens, MOST_TOKENS)
        config = twin.generation.model_copy(update={"seed": chance.randrange(2**31), "max_new_tokens": most})
        part = progress.part(1 / len(kinds), f"Answers of the {kind}")
        (replies,) = sample_replies(twin, held, prompts_at(twin, held, picked), picked, [config], part)
        for given, reply in zip(answers, replies, strict=True):
            if len(reply.text) <= LONGEST and (kind == "twin" or reply.finish_reason == "end_of_turn"):
                given[kind] = reply.text
    rounds = [
        Round(id=secrets.token_hex(8), history=_shown(moments[i]), answers=given)
        for i, given in zip(picked, answers, strict=True)
        if kinds[0] in given
        and all(given.values())
        and len({" ".join(text.split()) for text in given.values()}) == len(given)
    ]
    if not rounds:
        raise ChatError("No held-out moment is fit for a game: the replies are too short or all the same.")
    rounds.sort(key=lambda one: -len(one.answers))  # those with more to choose from first; in time otherwise
    rounds = rounds[:count]
    progress(1)
    _write_rounds(run_dir, rounds)
    shutil.rmtree(RunFolder(run_dir).blind_test.games, ignore_errors=True)  # they were about other moments
    return rounds


def _spread(numbers: Sequence[int], most: int, chance: Random) -> list[int]:
    """At most so many of the numbers, in order: one out of each of as many equal stretches."""
    if len(numbers) <= most:
        return list(numbers)
    edges = [i * len(numbers) // most for i in range(most + 1)]
    return [numbers[chance.randrange(low, high)] for low, high in pairwise(edges)]


def _apart(moments: Sequence[Moment], numbers: Sequence[int]) -> list[int]:
    """Those of the numbers, in order, at which no other's real answer is shown among what was said before."""
    kept: list[int] = []
    answers: set[str] = set()
    shown: set[str] = set()
    for number in numbers:
        before = {said.content for said in _shown(moments[number])}
        if before.isdisjoint(answers) and moments[number].reply not in shown:
            kept.append(number)
            answers.add(moments[number].reply)
            shown |= before
    return kept


def _worth_asking(moment: Moment) -> bool:
    said = moment.row.messages[moment.index - 1]["content"]
    return SHORTEST <= len(moment.reply) <= LONGEST and said != OPENER


def _shown(moment: Moment) -> list[Said]:
    shown = moment.history[-HISTORY:]
    return [Said.model_validate(message) for message in shown if message["content"] != OPENER]


def read_rounds(run_dir: Path) -> list[Round]:
    """The rounds of a run; none where none were made. For the owner's eyes."""
    path = RunFolder(run_dir).blind_test.rounds
    if not path.is_file():
        return []
    try:
        return TypeAdapter(list[Round]).validate_json(path.read_bytes())
    except ValidationError as error:
        raise ChatError("This run's blind test was made by another version: make the rounds again.") from error


def _write_rounds(run_dir: Path, rounds: Sequence[Round]) -> None:
    folder = RunFolder(run_dir).blind_test
    folder.path.mkdir(mode=0o700, exist_ok=True)
    replace_text(folder.rounds, json.dumps([one.model_dump() for one in rounds], ensure_ascii=False))


def approve(run_dir: Path, ids: Sequence[str]) -> list[Round]:
    """Let friends see exactly these rounds; what was approved before and is not among them no longer is."""
    rounds = [one.model_copy(update={"approved": one.id in set(ids)}) for one in read_rounds(run_dir)]
    _write_rounds(run_dir, rounds)
    return rounds


def invite(run_dir: Path, called: str = "") -> Invitation:
    """The invitation to this run's approved rounds; its key stays the same, and is not to be guessed.

    called: what friends see the person called. Raises ChatError where nothing is approved.
    """
    if not any(one.approved for one in read_rounds(run_dir)):
        raise ChatError("Approve at least one moment first: friends see approved moments only.")
    known = read_invitation(run_dir)
    invitation = Invitation(key=known.key if known else secrets.token_urlsafe(24), called=called.strip()[:60])
    replace_text(RunFolder(run_dir).blind_test.invitation, invitation.model_dump_json())
    return invitation


def read_invitation(run_dir: Path) -> Invitation | None:
    """The invitation of a run; None where its owner has made none."""
    try:
        return Invitation.model_validate_json(RunFolder(run_dir).blind_test.invitation.read_bytes())
    except (OSError, ValidationError):
        return None


def invited(run_dirs: Iterable[Path], key: str) -> Path | None:
    """The run to which a friend's key belongs, or None."""
    for run_dir in run_dirs:
        invitation = read_invitation(run_dir)
        if invitation and secrets.compare_digest(invitation.key.encode(), key.encode()):
            return run_dir
    return None


def new_game(run_dir: Path, *, seed: int | None = None) -> Game:
    """A game over the approved rounds, shuffled, and kept. Raises ChatError."""
    chance = Random(seed) if seed is not None else secrets.SystemRandom()
    rounds = [one for one in read_rounds(run_dir) if one.approved]
    if not rounds:
        raise ChatError("There is nothing to guess yet: the owner has to make and approve moments first.")
    folder = RunFolder(run_dir).blind_test
    folder.games.mkdir(mode=0o700, exist_ok=True)
    if sum(1 for _ in folder.games.iterdir()) >= MOST_GAMES:
        raise ChatError("This game has been played as often as it can be: its owner can make new moments.")
    chance.shuffle(rounds)
    game = Game(
        id=secrets.token_hex(8),
        rounds=tuple(one.id for one in rounds),
        orders=tuple(tuple(chance.sample(sorted(one.answers), len(one.answers))) for one in rounds),
    )
    replace_text(folder.game(game.id), game.model_dump_json())
    return game


def read_game(run_dir: Path, id: str) -> Game:
    """A game of this run that has begun. Raises ChatError."""
    if id.isalnum() and id.isascii():
        try:
            return Game.model_validate_json(RunFolder(run_dir).blind_test.game(id).read_bytes())
        except (OSError, ValidationError):
            pass
    raise ChatError("This game is over: start a new one.")


def _round(run_dir: Path, game: Game, number: int) -> Round:
    if 0 <= number < len(game.rounds):
        for one in read_rounds(run_dir):
            # An approval that was taken back counts in games that have begun, too.
            if one.id == game.rounds[number] and one.approved:
                return one
    raise ChatError("This moment is no longer part of the game: start a new one.")


def ask(run_dir: Path, game: Game, number: int) -> Question:
    """Question `number` (from 0) of a game. Raises ChatError where it is not, or no longer, in the game."""
    one = _round(run_dir, game, number)
    answers = tuple(one.answers[name] for name in game.orders[number])
    return Question(number=number, of=len(game.rounds), history=one.history, answers=answers)


def guess(run_dir: Path, game: Game, number: int, picked: int) -> Outcome:
    """Guess that answer `picked` is the person's; counted once a question, a second guess changes nothing."""
    one = _round(run_dir, game, number)
    names = game.orders[number]
    if not 0 <= picked < len(names):
        raise ChatError("Choose one of the answers that are shown.")
    known = outcome(run_dir, game, number)
    if known is not None:
        return known
    line = Guess(game=game.id, round=one.id, taken=names[picked], answers=len(names))
    with RunFolder(run_dir).blind_test.guesses.open("a", encoding="utf-8") as file:
        file.write(line.model_dump_json() + "\n")
    return Outcome(right=names[picked] == "person", names=names, picked=picked)


def outcome(run_dir: Path, game: Game, number: int) -> Outcome | None:
    """What was uncovered at a question; None where nothing has been guessed yet."""
    one = _round(run_dir, game, number)
    names = game.orders[number]
    for line in _guesses(run_dir):
        if (line.game, line.round) == (game.id, one.id):
            return Outcome(right=line.taken == "person", names=names, picked=names.index(line.taken))
    return None


def _guesses(run_dir: Path) -> list[Guess]:
    path = RunFolder(run_dir).blind_test.guesses
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [Guess.model_validate_json(line) for line in lines]


def score(run_dir: Path, game: Game | None = None) -> Score:
    """The score of one game, or of all that were ever played about this run."""
    lines = [line for line in _guesses(run_dir) if game is None or line.game == game.id]
    right = sum(line.taken == "person" for line in lines)
    low, high = interval(right, len(lines))
    return Score(
        guesses=len(lines),
        right=right,
        share=right / len(lines) if lines else 0.0,
        low=low,
        high=high,
        chance=sum(1 / line.answers for line in lines) / len(lines) if lines else 0.0,
        taken=dict(Counter(line.taken for line in lines)),
    )

"""The blind test: hidden orders, one guess a question, a score, and friends who see approved moments only."""

import pytest

from pipeline.errors import ChatError
from pipeline.evaluation import blind, held_out_moments
from pipeline.evaluation.intervals import interval


@pytest.fixture
def run(tmp_path):
    rounds = [
        blind.Round(
            id=f"r{i}",
            history=[blind.Said(role="user", content=f"secret moment {i}")],
            answers={"person": f"p{i}", "twin": f"t{i}", "base": f"b{i}"},
            approved=True,
        )
        for i in range(12)
    ]
    blind._write_rounds(tmp_path, rounds)
    return tmp_path


def play(run, game, choose):
    for number in range(len(game.rounds)):
        blind.guess(run, game, number, choose(game, number))
    return blind.score(run, game)


def test_no_real_answer_is_told_by_what_was_said_before_another_moment(tiny_run):
    moments = held_out_moments(tiny_run)
    numbers = blind._apart(moments, range(len(moments)))
    assert 5 < len(numbers) < len(moments)
    before = {said.content for number in numbers for said in blind._shown(moments[number])}
    assert not before & {moments[number].reply for number in numbers}


def test_a_question_shows_the_answers_and_no_name(run):
    question = blind.ask(run, blind.new_game(run, seed=1), 0)
    assert question.of == 12
    assert sorted(answer[0] for answer in question.answers) == ["b", "p", "t"]
    assert not {"twin", "person", "base"} & set(question.model_dump_json().split('"'))


def test_the_person_stands_in_every_place_sooner_or_later(run):
    game = blind.new_game(run)
    games = [game, *(blind.new_game(run) for _ in range(5))]
    assert {order.index("person") for one in games for order in one.orders} == {0, 1, 2}


def test_guesses_are_scored_with_an_interval_and_kept(run):
    game = blind.new_game(run)
    perfect = play(run, game, lambda g, n: g.orders[n].index("person"))
    assert (perfect.guesses, perfect.right, perfect.share) == (12, 12, 1)
    assert perfect.low < 0.9 < perfect.high
    fooled = play(run, blind.new_game(run), lambda g, n: g.orders[n].index("twin"))
    assert (fooled.right, fooled.taken) == (0, {"twin": 12})
    assert blind.outcome(run, game, 0) == blind.Outcome(
        right=True, names=game.orders[0], picked=game.orders[0].index("person")
    )
    both = blind.score(run)
    assert (both.guesses, both.right) == (24, 12)
    assert both.chance == pytest.approx(1 / 3)


def test_a_second_guess_changes_nothing(run):
    game = blind.new_game(run)
    first = blind.guess(run, game, 0, 0)
    assert blind.guess(run, game, 0, 1) == first
    assert blind.score(run).guesses == 1


def test_friends_see_approved_moments_only(run):
    blind.approve(run, [])
    with pytest.raises(ChatError):
        blind.new_game(run)
    blind.approve(run, ["r3", "r5"])
    game = blind.new_game(run)
    assert set(game.rounds) == {"r3", "r5"}
    forged = game.model_copy(update={"rounds": ("r0",), "orders": (("person", "twin", "base"),)})
    with pytest.raises(ChatError):
        blind.ask(run, forged, 0)
    blind.approve(run, ["r5"])
    number = game.rounds.index("r3")
    with pytest.raises(ChatError):
        blind.ask(run, game, number)
    with pytest.raises(ChatError):
        blind.guess(run, game, number, 0)


def test_an_invitation_leads_to_its_run_and_to_no_other(run, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    blind.approve(run, [])
    with pytest.raises(ChatError):
        blind.invite(run)
    blind.approve(run, ["r1"])
    key = blind.invite(run, "Noah").key
    assert blind.invite(run, "N.") == blind.Invitation(key=key, called="N.") == blind.read_invitation(run)
    assert len(key) >= 32
    assert blind.invited([other, run], key) == run
    assert blind.invited([other, run], "guessed") is None
    assert blind.invited([other], key) is None


@pytest.mark.parametrize(("right", "of"), [(0, 0), (0, 10), (5, 10), (10, 10), (60, 200)])
def test_the_interval_holds_the_share(right, of):
    low, high = interval(right, of)
    assert 0 <= low <= (right / of if of else 0.5) <= high <= 1


def test_questions_and_answers_out_of_range_are_sentences(run):
    game = blind.new_game(run)
    for call in (lambda: blind.ask(run, game, 99), lambda: blind.guess(run, game, 0, 7)):
        with pytest.raises(ChatError):
            call()


def test_a_game_is_found_by_its_own_name_alone(run):
    game = blind.new_game(run)
    assert blind.read_game(run, game.id) == game
    assert blind.outcome(run, game, 0) is None
    for name in ("0" * 16, "../rounds", "", f"{game.id}.json"):
        with pytest.raises(ChatError):
            blind.read_game(run, name)

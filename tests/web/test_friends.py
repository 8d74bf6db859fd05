"""The page of the blind test: friends see what was approved for them, of one owner, and can ask for nothing else."""

import re

import pytest
from starlette.testclient import TestClient

from pipeline.evaluation import blind
from pipeline.store import workspace
from web.guard import Guard


def owner(root, word):
    """A workspace with a run whose blind test holds two moments, the first approved; its invitation."""
    run = workspace.create(root) / "runs" / "one"
    run.mkdir(parents=True)
    rounds = [
        blind.Round(
            id=f"r{i}",
            history=[blind.Said(role="user", content=f"{word}-moment-{i}")],
            answers={"person": f"{word}-person-{i}", "twin": f"{word}-twin-{i}", "base": f"<b>{word}</b>-base-{i}"},
        )
        for i in range(2)
    ]
    blind._write_rounds(run, rounds)
    blind.approve(run, ["r0"])
    return run, blind.invite(run, "Noah & <i>co</i>")


@pytest.fixture
def friend(tmp_path):
    return TestClient(Guard(None, tmp_path, None), base_url="http://localhost")


def begin(friend, invitation):
    """Begin a game; the address of its first question and that page."""
    answer = friend.post(f"/play/{invitation.key}")
    assert answer.status_code == 200
    return answer.url.path, answer.text


def test_a_game_is_played_and_scored(friend, tmp_path):
    run, invitation = owner(tmp_path, "quokka")
    start = friend.get(f"/play/{invitation.key}").text
    assert "1 moment" in start
    assert "Noah &amp; &lt;i&gt;co" in start
    address, question = begin(friend, invitation)
    assert "quokka-moment-0" in question
    assert "<b>quokka" not in question
    assert "the twin" not in question
    place = re.search(r'value="(\d)"><div[^>]*><div[^>]*>quokka-person-0', question)
    assert place is not None
    found = friend.post(address, data={"picked": place[1]}).text
    assert "Yes, that was the person" in found
    assert "the twin" in found
    assert friend.get(address).text == found
    assert "1 of 1 (100%" in friend.get(f"{address[:-1]}end").text
    assert blind.score(run).right == 1


def test_friends_of_two_owners_see_nothing_of_each_other(friend, tmp_path):
    games = {word: begin(friend, owner(tmp_path, word)[1]) for word in ("quokka", "narwhal")}
    for word, (address, page) in games.items():
        other = next(w for w in games if w != word)
        assert word in page
        assert other not in page
        foreign = games[other][0].rsplit("/", 2)[1]  # the other's game under this owner's key
        crossed = friend.get(re.sub("/[0-9a-f]{16}/", f"/{foreign}/", address))
        assert crossed.status_code == 404
        assert other not in crossed.text


def test_what_was_not_approved_is_not_shown(friend, tmp_path):
    run, invitation = owner(tmp_path, "quokka")
    address, page = begin(friend, invitation)
    assert "moment-1" not in page
    assert friend.get(f"{address[:-1]}1").status_code == 404
    blind.approve(run, ["r1"])
    taken_back = friend.get(address)
    assert taken_back.status_code == 404
    assert "quokka" not in taken_back.text


@pytest.mark.parametrize("path", ["", "x", "x/y/0", "%2e%2e/x", "KEY/x/0", "KEY/../0", "KEY/a/b/c"])
def test_made_up_addresses_show_nothing(friend, tmp_path, path):
    _, invitation = owner(tmp_path, "quokka")
    answer = friend.get(f"/play/{path.replace('KEY', invitation.key)}")
    assert answer.status_code == 404
    assert "quokka" not in answer.text
    assert "set-cookie" not in answer.headers


def test_the_page_loads_nothing_and_a_bad_guess_is_a_sentence(friend, tmp_path):
    _, invitation = owner(tmp_path, "quokka")
    address, _ = begin(friend, invitation)
    answer = friend.post(address, data={"picked": "7"})
    assert answer.status_code == 404
    assert "Choose one" in answer.text
    assert friend.post(address, content=b"x" * 100_000).status_code == 404
    policy = friend.get(address).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "<script" not in friend.get(address).text


def test_a_deleted_workspace_is_gone_from_the_game(friend, tmp_path):
    run, invitation = owner(tmp_path, "quokka")
    workspace.purge(run.parents[1])
    assert friend.get(f"/play/{invitation.key}").status_code == 404

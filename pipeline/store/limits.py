"""How much anybody may ask for: one set of limits for one's own computer, one for a machine that strangers share.

Every limit has its sentence, so whoever meets one is told what it is and what to do.
"""

import os
from dataclasses import dataclass

from pipeline.errors import ChatError

__all__ = ["HOME", "HOSTS", "SHARED", "Limit", "Limits", "hosts", "is_share_link", "is_shared", "limits", "on_space"]

HOSTS = "CHAT_TWIN_HOSTS"  # names (or *) under which others reach the app; makes this a machine that strangers share
MB, GB = 10**6, 10**9
HOUR, DAY = 3600, 24 * 3600


@dataclass(frozen=True)
class Limit:
    """The most of something, and what to say of more; `{most}` in the sentence stands for the most."""

    most: float
    sentence: str
    unit: float = 1  # what the sentence counts in

    def allows(self, amount: float) -> bool:
        """Whether so much may be had."""
        return amount <= self.most

    def check(self, amount: float) -> None:
        """Raise ChatError, with the sentence, for more than the most."""
        if not self.allows(amount):
            raise ChatError(str(self))

    def __str__(self) -> str:
        return self.sentence.format(most=f"{self.most / self.unit:,.0f}")


@dataclass(frozen=True)
class Limits:
    """All of them. Bytes, seconds, counts; "a visitor" is one browser, "in all" everybody together."""

    events: Limit  # of a visitor, waiting or running
    same_events: Limit  # of a visitor, for one and the same button
    events_in_all: Limit
    sessions: Limit  # pages that a visitor has open
    sessions_in_all: Limit
    body_bytes: Limit  # of a request that is no upload
    upload_bytes: Limit
    upload_files: Limit  # in one upload
    uploads: Limit  # of a visitor at once
    free_bytes: Limit  # of the disk: so many stay free
    archive_texts: Limit  # texts in an archive, each of which is looked at
    text_bytes: Limit  # of one chat
    runs: Limit  # of a visitor
    workspace_bytes: Limit  # of a visitor, when a training begins
    epochs: Limit
    rank: Limit
    row_tokens: Limit
    batch_tokens: Limit
    training_seconds: Limit  # of one run, pauses left out
    model_bytes: Limit  # of weights that are fetched
    template_seconds: Limit  # for a model's chat template
    games: Limit  # of the blind test, of one invitation in an hour


HOME = Limits(
    events=Limit(100, "Too much is waiting for an answer on this page: give it a moment."),
    same_events=Limit(20, "This is being worked on already: wait for it."),
    events_in_all=Limit(400, "Too much is waiting for an answer: give it a moment."),
    sessions=Limit(40, "Too many pages of this app are open: close some."),
    sessions_in_all=Limit(100, "Too many pages of this app are open: close some."),
    body_bytes=Limit(4 * MB, "This is too long: at most {most} MB can be sent at once.", MB),
    upload_bytes=Limit(2 * GB, "This file is too large: at most {most} GB are taken. Export without media.", GB),
    upload_files=Limit(20, "Too many files at once: choose at most {most}."),
    uploads=Limit(10, "Some files are on their way already: wait for them."),
    free_bytes=Limit(200 * MB, "The disk of this computer is nearly full: free some space and try again."),
    archive_texts=Limit(2000, "This archive holds more than {most} texts: choose one that holds the chat alone."),
    text_bytes=Limit(2 << 30, "The chat is larger than {most} GB: export it in parts.", 1 << 30),
    runs=Limit(1000, "There are {most} trainings already: press “Delete my data” to make room."),
    workspace_bytes=Limit(1000 * GB, "What you have here takes more than {most} GB: press “Delete my data”.", GB),
    epochs=Limit(100, "Each reply can be seen at most {most} times: choose fewer."),
    rank=Limit(512, "The rank can be {most} at the most: choose a smaller one."),
    row_tokens=Limit(1 << 20, "The longest row can have {most} tokens at the most: choose fewer."),
    batch_tokens=Limit(1 << 24, "At most {most} tokens can be taken at once: choose fewer."),
    training_seconds=Limit(30 * DAY, "The training took {most} days and was ended; the best so far was kept.", DAY),
    model_bytes=Limit(200 * GB, "The weights of this model are more than {most} GB: choose a smaller one.", GB),
    template_seconds=Limit(5, "This model's chat template does not come to an end: choose another model."),
    games=Limit(2000, "Too many games were begun with this link: try again in an hour."),
)  # fmt: skip

SHARED = Limits(
    events=Limit(48, "Too much is waiting for an answer on this page: give it a moment."),
    same_events=Limit(3, "This is being worked on already: wait for it."),
    events_in_all=Limit(600, "Too many people want something at this moment: try again in a minute."),
    sessions=Limit(8, "Too many pages of this app are open: close some."),
    sessions_in_all=Limit(200, "Too many people are here at this moment: try again in a minute."),
    body_bytes=Limit(1 * MB, "This is too long: at most {most} MB can be sent at once.", MB),
    upload_bytes=Limit(300 * MB, "This file is too large: at most {most} MB are taken. Export without media.", MB),
    upload_files=Limit(4, "Too many files at once: choose at most {most}."),
    uploads=Limit(2, "A file is on its way already: wait for it."),
    free_bytes=Limit(2 * GB, "The disk of this machine is nearly full: try again later, or at home."),
    archive_texts=Limit(300, "This archive holds more than {most} texts: choose one that holds the chat alone."),
    text_bytes=Limit(100 * MB, "The chat is larger than {most} MB, too much for a shared machine: export a part.", MB),
    runs=Limit(6, "There are {most} trainings already: take along what you need and press “Delete my data”."),
    workspace_bytes=Limit(
        1 * GB, "What you have here takes {most} GB or more: take along what you need and press “Delete my data”.", GB
    ),
    epochs=Limit(5, "On a shared machine each reply can be seen at most {most} times: choose fewer."),
    rank=Limit(128, "On a shared machine the rank can be {most} at the most: choose a smaller one."),
    row_tokens=Limit(4096, "On a shared machine the longest row can have {most} tokens: choose fewer."),
    batch_tokens=Limit(32768, "On a shared machine at most {most} tokens can be taken at once: choose fewer."),
    training_seconds=Limit(
        2 * HOUR, "The training took {most} hours, all it may on a shared machine; the best so far was kept.", HOUR
    ),
    model_bytes=Limit(20 * GB, "The weights of this model are more than {most} GB: choose a smaller one.", GB),
    template_seconds=Limit(5, "This model's chat template does not come to an end: choose another model."),
    games=Limit(300, "Too many games were begun with this link: try again in an hour."),
)  # fmt: skip


def limits() -> Limits:
    """Those that hold here."""
    return SHARED if is_shared() else HOME


def is_shared() -> bool:
    """Whether strangers may be visitors: on a Space, behind a share link, under a name that others reach."""
    return on_space() or is_share_link() or bool(hosts())


def on_space() -> bool:
    """Whether this is a Space at Hugging Face."""
    return bool(os.environ.get("SPACE_ID"))


def is_share_link() -> bool:
    """Whether the app is to be reached from outside through Gradio's tunnel."""
    return os.environ.get("GRADIO_SHARE", "").lower() in ("1", "true")


def hosts() -> frozenset[str]:
    """The names that CHAT_TWIN_HOSTS says others reach the app by, in small letters."""
    return frozenset(name.strip().lower() for name in os.environ.get(HOSTS, "").split(",") if name.strip())

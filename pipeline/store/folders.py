"""What lies where in the folder over all, and in a visitor's."""

from pathlib import Path

from pipeline.store.files import Entry, Folder

__all__ = ["ChatFolder", "HomeFolder", "VisitorFolder", "workspace_of"]


class HomeFolder(Folder):
    """The folder over all (`home()`)."""

    visitors = Entry("visitors")
    uploads = Entry("uploads")  # what browsers send
    training_lock = Entry("training.lock")  # held, on this machine, by whoever trains


class ChatFolder(Folder):
    """A visitor's chat: the export as it came, and what was read from it."""

    source = Entry("source")
    messages = Entry("messages.parquet")
    about = Entry("chat.json")
    memory = Entry("memory")  # what can be asked of it (pipeline.retrieval)
    memory_lock = Entry("memory.lock")  # held while that is made

    def measured(self, read_at: int) -> Path:
        """What was measured of the messages that were written at this time (ns)."""
        return self.path / f"measured-{read_at}"

    def all_measured(self) -> list[Path]:
        """Whatever was measured of it, of other readings as well."""
        return list(self.path.glob("measured-*"))


class VisitorFolder(Folder):
    """One visitor's workspace: what they brought, what was made of it, what they said to it."""

    identity = Entry("identity")  # a word that says which one this is, should it be deleted and made again
    seen = Entry("seen")  # its time says when a page was last open,
    active = Entry("active")  # and this one's when it was last used
    chat = Entry("chat")
    incoming = Entry("incoming")  # a file that is not read yet
    choices = Entry("choices.json")
    taken_along = Entry("takeaway")  # reports and cards, to be downloaded
    dataset = Entry("dataset")
    left_out = Entry("left-out.json")  # of the dataset, with samples
    runs = Entry("runs")
    conversations = Entry("talks")
    uploads = Entry("upload")  # what would go to the Hub
    job_lock = Entry("job.lock")  # held while a job is being started


def workspace_of(path: Path) -> Path | None:
    """The workspace that a path lies in; None where it lies in none, as on the command line."""
    return next((place for place in (path, *path.parents) if place.parent.name == HomeFolder.visitors.name), None)

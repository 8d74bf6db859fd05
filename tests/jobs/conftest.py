import os
import signal

import pytest

from tests.jobs.server import serve


@pytest.fixture
def hub(monkeypatch):
    """A Hub with Jobs on this machine, and this process allowed to talk to it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    made, server = serve()
    yield made
    for job in made.jobs.values():
        if job.process is not None and job.process.poll() is None:
            os.killpg(job.process.pid, signal.SIGKILL)
    server.shutdown()
    server.server_close()

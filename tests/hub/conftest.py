import pytest

from tests.hub.server import serve


@pytest.fixture
def hub(monkeypatch):
    """A Hub on this machine, and this process allowed to talk to it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)  # Xet's client cannot be pointed here
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    made, server = serve()
    yield made
    server.shutdown()
    server.server_close()

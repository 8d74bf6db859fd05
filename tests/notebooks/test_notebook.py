"""The notebook for Colab and Kaggle, run end to end: it gets the app, leaves torch alone, and asks for a password."""

import importlib.metadata
import json
import re
import socket
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "chat_twin.ipynb"


def ask(url: str, data: dict[str, str] | None = None) -> tuple[int, str]:
    body = urllib.parse.urlencode(data).encode() if data else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_it_has_three_cells_and_keeps_nothing_of_a_session():
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert len(cells) == 3
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)


@pytest.mark.slow
def test_run_on_this_machine_it_serves_the_app_behind_a_password(monkeypatch, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "home"
    for name, value in {
        "CHAT_TWIN_SOURCE": str(ROOT), "CHAT_TWIN_SHARE": "0", "CHAT_TWIN_HOME": str(home), "PIP_NO_INDEX": "1",
        "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1", "IPYTHONDIR": str(tmp_path / "ipython"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    home.mkdir()
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    torch = importlib.metadata.version("torch")
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        told = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
        password = re.search(r"Password +(\S+)", told)[1]
        address = f"http://127.0.0.1:{port}"
        assert address in told
        assert '"auth_required":true' in ask(address)[1].replace(" ", "")
        assert ask(f"{address}/config")[0] == 401
        assert ask(f"{address}/login", {"username": "me", "password": "guess"})[0] == 400
        assert ask(f"{address}/login", {"username": "me", "password": password})[0] == 200
    assert f"PyTorch {torch}" in "".join(output.get("text", "") for output in notebook.cells[-2].outputs)
    assert len(password) >= 16
    assert not any(password.encode() in path.read_bytes() for path in home.rglob("*") if path.is_file())

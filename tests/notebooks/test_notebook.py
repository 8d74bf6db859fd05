"""The notebook for Colab and Kaggle, run end to end: it gets the app, leaves torch alone, and asks for a password."""

import importlib.metadata
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from pipeline.notebook import address_of, write_notebook

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


def first_cell(folder, source="", **settings):
    """What the first cell says, run in a folder; its exit code and where it found the app."""
    code = next(cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code")
    text = "".join(code["source"]).replace('SOURCE = ""', f"SOURCE = {source!r}")
    environment = {**os.environ, "CHAT_TWIN_SOURCE": "", "GIT_TERMINAL_PROMPT": "0", **settings}
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stderr + done.stdout).splitlines()[-1]


@pytest.fixture
def copy_of_the_app(tmp_path):
    """Enough of it to be known."""
    app = tmp_path / "elsewhere" / "chat-twin-main"
    (app / "pipeline").mkdir(parents=True)
    (app / "app.py").touch()
    (app / "pipeline" / "__init__.py").touch()
    (tmp_path / "here").mkdir()
    return app


def test_without_an_address_it_says_what_to_write(copy_of_the_app, tmp_path):
    code, said = first_cell(tmp_path / "here")
    assert (code, "Write in SOURCE above where your copy of Chat Twin lives" in said) == (1, True)


def test_an_address_that_does_not_answer_is_said(tmp_path):
    code, said = first_cell(tmp_path, f"file://{tmp_path}/nothing")
    assert (code, "nothing could not be fetched: check the address." in said) == (1, True)


def test_it_finds_the_app_in_a_folder_a_zip_beside_it_or_fetches_it(copy_of_the_app, tmp_path):
    here = tmp_path / "here"
    assert first_cell(here, str(copy_of_the_app)) == (0, f"Chat Twin is in {copy_of_the_app}")
    (copy_of_the_app / "notebooks").mkdir()
    assert first_cell(copy_of_the_app / "notebooks") == (0, f"Chat Twin is in {copy_of_the_app}")
    shutil.make_archive(str(here / "chat-twin"), "zip", copy_of_the_app.parent)
    assert first_cell(here) == (0, f"Chat Twin is in {here}/unpacked/chat-twin-main")
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "it"]):
        subprocess.run(["git", *command], cwd=copy_of_the_app, check=True)
    (tmp_path / "there").mkdir()
    for _ in range(2):  # a second time it is there already
        code, said = first_cell(tmp_path / "there", f"file://{copy_of_the_app}")
        assert (code, said) == (0, f"Chat Twin is in {tmp_path}/there/chat-twin")


@pytest.mark.parametrize(
    ("space", "origin", "address"),
    [
        ("ann/chat-twin", "https://example.org/x", "https://huggingface.co/spaces/ann/chat-twin"),
        ("", "https://github.com/ann/chat-twin.git", "https://github.com/ann/chat-twin"),
        ("", "https://ann:secret@huggingface.co/spaces/ann/twin", "https://huggingface.co/spaces/ann/twin"),
        ("", "git@github.com:ann/chat-twin.git", "https://github.com/ann/chat-twin"),
        ("", "/srv/git/chat-twin", ""),
        ("", "", ""),
    ],
)
def test_the_app_hands_it_out_with_the_address_of_this_copy(space, origin, address, tmp_path, monkeypatch):
    monkeypatch.setenv("SPACE_ID", space)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    if origin:
        subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", origin], check=True)
    assert address_of(tmp_path) == address
    path = write_notebook(tmp_path, address)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert f'SOURCE = {json.dumps(address)}  # @param {{type:"string"}}\n' in cells[1]["source"]
    assert cells[2:] == json.loads(NOTEBOOK.read_text())["cells"][2:]


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

"""Pushing from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub.server import TOKEN

ROOT = Path(__file__).parents[2]
CHAT = "".join(
    f"[0{day}.02.24, 10:{i:02d}:00] {'Ada' if i % 2 else 'Bo'}: {'yes' if i % 2 else 'so'} {day}{i}\n"
    for day in (1, 2)
    for i in range(60)
)

pytestmark = pytest.mark.slow


def pipeline(hub, *arguments, token=TOKEN):
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    if token:
        environment["HF_TOKEN"] = token
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_a_dataset_is_made_and_pushed_private_in_one_go(hub, tmp_path):
    chat = tmp_path / "_chat.txt"
    chat.write_text(CHAT)
    made = ["dataset", chat, "--as", "Ada", "--out", tmp_path / "made", "--push", "ann/ours", "--format", "alpaca"]
    refused = pipeline(hub, *made)
    assert refused.returncode == 2
    assert "must know of it and agree" in refused.stderr
    assert hub.repos == {}
    done = pipeline(hub, *made, "--others-agree", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["url"] == f"{hub.url}/datasets/ann/ours"
    assert hub.repos["dataset", "ann/ours"].private
    assert "alpaca/train.parquet: " in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    again = pipeline(hub, "push", tmp_path / "made", "ann/ours", "--others-agree")
    assert again.returncode == 0, again.stderr
    assert "before" in again.stdout
    public = pipeline(hub, "push", tmp_path / "made", "ann/ours", "--others-agree", "--public")
    assert public.returncode == 2
    assert "confirm it once more" in public.stderr

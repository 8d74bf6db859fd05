"""What is installed: all that is imported is asked for, in ranges that were tried, and the lock holds to them."""

import importlib.metadata
import re
import sys
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.test_walls import MODULES, ROOT, imports, statements

OURS = {"app", "pipeline", "tabs", "web"}


def requirements(name: str) -> dict[str, Requirement]:
    """The lines of a requirements file that apply here, by package."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    found = [Requirement(line) for line in lines if line]
    return {plain(r.name): r for r in found if r.marker is None or r.marker.evaluate(default_environment())}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_of(paths: list[Path]) -> set[str]:
    """The packages from elsewhere that these modules import, by the names that they are installed by."""
    roots = {name.split(".")[0] for path in paths for name in imports(statements(path), late=True)}
    by_import = importlib.metadata.packages_distributions()
    return {plain(by_import[root][0]) for root in roots - OURS - set(sys.stdlib_module_names)}


def test_what_is_imported_is_asked_for():
    assert packages_of([*MODULES, ROOT / "app.py"]) <= set(requirements("requirements.txt"))


def test_what_has_private_parts_in_use_ends_before_its_next_version():
    asked = requirements("requirements.txt")
    for package in packages_of([ROOT / "pipeline" / "compat.py"]):
        assert any(bound.operator in ("<", "==") for bound in asked[package].specifier), package


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_the_lock_holds_what_is_asked_for(name):
    """`make lock` puts this right."""
    locked = requirements("requirements.lock")
    for package, asked in requirements(name).items():
        version = str(locked[package].specifier).removeprefix("==")
        assert asked.specifier.contains(version), package
        begins = [bound.version for bound in asked.specifier if bound.operator in (">=", "==")]
        assert begins, f"{package}: from which version on?"
        assert version.startswith(begins[0].split(".")[0] + "."), f"{package}: only {version} was tried"

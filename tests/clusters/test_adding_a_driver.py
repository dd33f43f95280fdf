"""docs/adding-a-driver.md names every method and capability there is, and nothing that is not."""

import dataclasses
import inspect
import re
from pathlib import Path

from clusters.drivers.base import Capabilities, Driver

PAGE = (Path(__file__).parents[2] / "docs" / "adding-a-driver.md").read_text()
TABLES = re.split(r"\n(?=\| method|\| capability)", PAGE)[1:]


def named(table: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_page__methods__those_of_the_protocol():
    methods = [name for name, _what in inspect.getmembers(Driver, inspect.isfunction) if not name.startswith("_")]
    assert sorted(named(TABLES[0])) == sorted(methods)


def test_page__capabilities__all_of_them():
    assert named(TABLES[1]) == [field.name for field in dataclasses.fields(Capabilities)]


def test_page__paths__exist():
    root = Path(__file__).parents[2]
    paths = re.findall(r"`((?:clusters|tests)/[\w/.]+)`", PAGE)
    assert paths and all((root / path).exists() for path in paths)

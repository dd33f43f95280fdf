"""Documents: whatever they link to in this tree is there, headings too."""

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from script.local import ROOT

LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    # Where there is no Git, as in an image, what lies there.
    named = [ROOT / name for name in listed.split()] or [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return sorted(path for path in named if path.exists())


def anchor(heading: str) -> str:
    """As hosts of repositories make it: small letters, hyphens for spaces, no other signs."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links__of_a_document__lead_somewhere(path):
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    for address in LINK.findall(text):
        if re.match("[a-z]+:", address):
            continue
        name, _mark, part = unquote(address).partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists() and target.is_relative_to(ROOT), address
        if part:
            headings = {anchor(found) for found in HEADING.findall(target.read_text(encoding="utf-8"))}
            assert part in headings, address


def test_links__documents__are_found_at_all():
    assert {"README.md", "README.zh.md", "CONTRIBUTING.md"} <= {path.name for path in documents()}

"""docs/api.md: its commands are run against a real portal, and print what the page says they print."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_token
from script.local import ROOT

GUIDE = ROOT / "docs" / "api.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Printed between two blocks of commands; no command of the page prints it.
MARK = "----- end of block {} -----"


@dataclass(frozen=True)
class Block:
    """Commands, and what the page says they print ("" for nothing)."""

    commands: str
    printed: str


def blocks() -> list[Block]:
    """The page's commands in their order."""
    fences = [(kind, text) for kind, text in FENCE.findall(GUIDE.read_text())]
    found = []
    for (kind, text), (next_kind, next_text) in pairwise([*fences, ("", "")]):
        if kind == "sh":
            found.append(Block(text, next_text if next_kind == "text" else ""))
    return found


def run(folder: Path, **variables: str) -> list[str]:
    """What each block printed; they share one shell, which ends at the first command that fails."""
    if shutil.which("jq") is None:
        pytest.fail("jq is missing; install it with: apt-get install jq")
    marked = [f"{block.commands}echo '{MARK.format(place)}'\n" for place, block in enumerate(blocks())]
    script = "set -euo pipefail\n" + "".join(marked)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    printed = re.split(r"----- end of block \d+ -----\n", done.stdout)
    assert done.returncode == 0, f"block {len(printed)}: {printed[-1]}\n{done.stderr}"
    return printed[:-1]


def fits(printed: str, promised: str) -> bool:
    """Whether the output is what the page says, in which … stands for anything."""
    pattern = "(?s:.*?)".join(re.escape(part) for part in promised.strip().split("…"))
    return re.fullmatch(pattern, printed.strip()) is not None


@pytest.mark.parametrize(
    ("printed", "promised", "is_right"),
    [("a 1 b\n", "a … b", True), ("a\n\nb", "a\n…b", True), ("a 1 b c", "a … b", False), ("", "", True)],
)
def test_fits__anything_where_the_page_leaves_it_open__and_nothing_else(printed, promised, is_right):
    assert fits(printed, promised) is is_right


@pytest.mark.django_db(transaction=True)
def test_guide__its_commands__print_what_it_says(portal, gitops_cluster, sign_in, tmp_path):
    portal.start("web", "worker", "dispatch")
    tokens = {}
    for who, scopes in {"dev": ["read", "request"], "platform": ["read", "decide"]}.items():
        sign_in(who)
        user, at = User.objects.get(username=who), timezone.now()
        tokens[who] = issue_token(user=user, name="guide", scopes=scopes, days=1, by=user, at=at)[1]
    folder = tmp_path / "guide"
    folder.mkdir()
    printed = run(folder, PORTAL=portal.url, TOKEN=tokens["dev"], APPROVER=tokens["platform"])
    found = blocks()
    assert len(printed) == len(found) >= 10
    wrong = [
        f"{block.commands}\npromised:\n{block.printed}\nprinted:\n{output}"
        for block, output in zip(found, printed, strict=True)
        if not fits(output, block.printed)
    ]
    assert not wrong, "\n\n".join(wrong)

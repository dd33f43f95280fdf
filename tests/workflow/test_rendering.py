"""What renders differently when it is done twice is refused, wherever it would be seen or written."""

import itertools
import re
from pathlib import Path

import pytest

from clusters.models import Bundle, BundleRevision
from script.local import ROOT
from tenants import manifests
from tenants.kinds.new_project import NewProject
from tenants.models import Project
from tests.builders import wish
from workflow.kinds import RendersDifferently
from workflow.models import Plan, Request

pytestmark = pytest.mark.django_db
_numbers = itertools.count()


def numbering(self, state):
    """Another label each time, as a clock or a random value would make it."""
    made = manifests.project(state)
    made[0]["metadata"]["labels"]["made"] = f"n{next(_numbers)}"
    return made


def turning(self, state):
    """Another order each time."""
    made = manifests.project(state)
    return made[::-1] if next(_numbers) % 2 else made


def writing(self, state):
    """The same each time, but its state is no longer what was approved."""
    made = manifests.project(state)
    state["owner"] = "somebody"
    return made


@pytest.mark.parametrize("renderer", [numbering, turning, writing])
def test_rendered__impure__refused(renderer, monkeypatch, ask):
    state = NewProject().state(ask())
    assert NewProject().rendered(state) == manifests.project(state)
    monkeypatch.setattr(NewProject, "render", renderer)
    with pytest.raises(RendersDifferently, match="came out differently"):
        NewProject().rendered(state)


def test_submit__impure__nothing_is_stored(monkeypatch, ask, people):
    monkeypatch.setattr(NewProject, "render", numbering)
    with pytest.raises(RendersDifferently):
        ask()
    assert not Request.objects.exists() and not Plan.objects.exists()


def test_decide__impure_since_it_was_asked__still_open_and_nothing_made(monkeypatch, ask, say):
    request = ask()
    monkeypatch.setattr(NewProject, "render", numbering)
    with pytest.raises(RendersDifferently):
        say(request, "platform")
    request.refresh_from_db()
    assert request.state == "submitted"
    assert not Project.objects.exists() and not Bundle.objects.exists() and not BundleRevision.objects.exists()


def test_submit__impure__conflict_for_a_program(monkeypatch, program):
    monkeypatch.setattr(NewProject, "render", numbering)
    body = {"kind": "new-project", "values": wish()}
    answer = program("dev").post("/api/v1/requests", body, "application/json")
    assert answer.status_code == 409 and "came out differently" in answer.content.decode()


def test_source__rendering__only_through_rendered():
    """Whoever called a kind's `render` would see, or write, what was made once."""
    calls = []
    for room in ("workflow", "tenants", "catalog", "onboarding", "clusters"):
        for file in (Path(ROOT) / room).rglob("*.py"):
            calls += [f"{file.name}: {found}" for found in re.findall(r"\w+\.render\((?!http)[^)]*", file.read_text())]
    assert calls == ["__init__.py: self.render(state", "__init__.py: self.render(state"]

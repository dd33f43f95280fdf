"""The pictures of README: each page of the tour is there to be taken, and those that are committed are small and shown.

PORTAL_TOUR names a folder that gets them anew (script/screenshots --tour).
"""

import base64
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.e2e.showroom import Showroom, furnish

PICTURES = settings.BASE_DIR / "docs" / "screenshots"
MOST_BYTES = 150_000
SIZE = {"width": 1280, "height": 860}
# Chromium writes WebP itself.
PACK = """async address => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", 0.82);
}"""


def nothing(page: Page) -> None:
    """As its address answers it."""


def three_environments(page: Page) -> None:
    page.fill("input[name=display_name]", "Claims imaging")
    page.fill("input[name=name]", "scans")
    for name in ("dev", "test", "prod"):
        page.check(f"input[name='environments.{name}']")
    page.select_option("select[name='environments.prod.size']", "m")
    expect(page.locator("#approval li")).to_have_count(3)
    expect(page.locator("#place-prod code")).to_have_text("claims-scans-prod")
    for part in ("main", ".pf-v6-c-page__main-container"):
        page.locator(part).first.evaluate("part => part.scrollTo(0, 0)")


def searched(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("claims")
    expect(page.locator("#search-panel [role=option]").first).to_be_visible()
    page.keyboard.press("ArrowDown")


@dataclass(frozen=True)
class Stop:
    """One picture of the tour: whose page it is, after doing what there."""

    who: str
    address: Callable[[Showroom], str]
    act: Callable[[Page], None] = nothing
    theme: str = "light"


def at(address: str) -> Callable[[Showroom], str]:
    return lambda show: address


STOPS = {
    "form": Stop("dev", at("/requests/new/new-project?tenant=claims"), three_environments),
    "inbox": Stop("platform", at("/inbox")),
    "decision": Stop("platform", lambda show: f"/requests/{show.requests['quota'].number}"),
    "project": Stop("dev", lambda show: f"/projects/{show.project.uid}"),
    "clusters": Stop("admin", at("/clusters"), theme="dark"),
    "search": Stop("dev", at("/"), searched, theme="dark"),
}
LANGUAGES = {"en": "en", "zh": "zh-CN"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.django_db(transaction=True)
def test_tour__each_stop__is_there_to_be_pictured(portal, gitops_cluster, sign_in, language):
    show = furnish(gitops_cluster)
    portal.start("web")
    options = {"locale": LANGUAGES[language], "reduced_motion": "reduce"}
    pages: dict[tuple[str, str], Page] = {}
    for name, stop in STOPS.items():
        key = (stop.who, stop.theme)
        if key not in pages:
            pages[key] = signed_in(sign_in, stop, options)
        page = pages[key]
        answer = page.goto(stop.address(show))
        assert answer is not None and answer.status == 200, name
        stop.act(page)
        if folder := os.environ.get("PORTAL_TOUR"):
            keep(page, Path(settings.BASE_DIR, folder, f"{name}-{language}.webp"))


def signed_in(sign_in: Callable[..., Page], stop: Stop, options: dict[str, Any]) -> Page:
    page = sign_in(stop.who, color_scheme=stop.theme, **options)
    page.set_viewport_size(SIZE)
    return page


def keep(page: Page, path: Path) -> None:
    """Packed in a page of its own, as the portal's let no picture in."""
    path.parent.mkdir(exist_ok=True)
    page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    taken = base64.b64encode(page.screenshot()).decode()
    workshop = page.context.new_page()
    packed = workshop.evaluate(PACK, f"data:image/png;base64,{taken}")
    workshop.close()
    path.write_bytes(base64.b64decode(packed.partition(",")[2]))


@pytest.mark.parametrize(("document", "language"), [("README.md", "en"), ("README.zh.md", "zh")])
def test_readme__pictures_of_the_tour__all_shown_with_words_and_small(document, language):
    text = (settings.BASE_DIR / document).read_text(encoding="utf-8")
    shown = dict(re.findall(r"!\[([^\]]+)\]\(docs/screenshots/([^)]+)\)", text))
    assert set(shown.values()) == {f"{name}-{language}.webp" for name in STOPS}
    for name in shown.values():
        size = (PICTURES / name).stat().st_size
        assert 5_000 < size < MOST_BYTES, (name, size)

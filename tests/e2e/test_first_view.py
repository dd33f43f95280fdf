"""What a browser fetches before anybody sees anything: little, from here alone, and no chart."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.showroom import furnish

pytestmark = pytest.mark.django_db(transaction=True)
# Compressed, with all that comes with the page.
MOST_BYTES = 200_000


@dataclass
class Fetched:
    """What the network says of each answer: bytes on the wire by address."""

    sizes: dict[str, int] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def follow(self, page: Page) -> None:
        """From now on, with an empty cache."""
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Network.clearBrowserCache")
        wire.on("Network.requestWillBeSent", self._asked)
        wire.on("Network.loadingFinished", self._finished)

    def _asked(self, event: Any) -> None:
        self._names[event["requestId"]] = event["request"]["url"]

    def _finished(self, event: Any) -> None:
        # Answers to what was asked for before, by a page that is left now, have no name here.
        address = self._names.get(event["requestId"], "before")
        self.sizes[address] = self.sizes.get(address, 0) + int(event["encodedDataLength"])

    @property
    def total(self) -> int:
        """Bytes of all answers together."""
        return sum(self.sizes.values())


def viewed(page: Page, address: str) -> Fetched:
    fetched = Fetched()
    fetched.follow(page)
    page.goto(address, wait_until="networkidle")
    return fetched


def test_first_view__login_and_homes__small_and_from_here_alone(portal, gitops_cluster, sign_in, browser):
    furnish(gitops_cluster)
    portal.start("web")
    outside = browser.new_context(base_url=portal.url)
    views = {"login": viewed(outside.new_page(), "/login")}
    views |= {who: viewed(sign_in(who), "/") for who in ("dev", "platform")}
    outside.close()
    for name, fetched in views.items():
        print(f"first view of {name}: {fetched.total} bytes in {len(fetched.sizes)} answers")
        # The page, its style sheet, font, scripts and icons at least: otherwise nothing was measured.
        assert len(fetched.sizes) >= 5 and fetched.total > 40_000, fetched.sizes
        assert fetched.total < MOST_BYTES, fetched.sizes
        assert [address for address in fetched.sizes if not address.startswith((portal.url, "data:", "before"))] == []
        assert [address for address in fetched.sizes if "chart" in address] == []


def test_chart__comes_into_view__fetched_then_and_not_before(portal, gitops_cluster, sign_in):
    show = furnish(gitops_cluster)
    portal.start("web")
    page = sign_in("dev")
    page.set_viewport_size({"width": 360, "height": 500})
    fetched = viewed(page, f"/projects/{show.project.uid}")
    assert [address for address in fetched.sizes if "chart" in address] == []
    page.locator("[data-chart]").scroll_into_view_if_needed()
    expect(page.locator("[data-drawn] canvas")).to_be_visible()
    assert len([address for address in fetched.sizes if "/chart." in address]) == 2, fetched.sizes

"""Parts of pages that cannot be refreshed: the page stays, says how old it is, and asks again when told to."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from tests.builders import decided_by, wish
from tests.tenants.doing import asked, everybody

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 45_000


@pytest.fixture
def waiting(portal, gitops_cluster) -> int:
    """The number of a request that waits, so that its asker's home asks for news every five seconds."""
    people = everybody()
    decided_by("platform")
    number = asked("new-project", people["dev"], **wish(name="waiting")).number
    portal.start("web")
    return number


@pytest.mark.parametrize(
    ("language", "text", "again"),
    [
        ("en", r"This could not be refreshed; what you see is from \d\d:\d\d", "Try again"),
        ("zh-CN", r"未能刷新，当前显示的是 \d\d:\d\d 的数据", "再试一次"),
    ],
)
@pytest.mark.parametrize("failure", ["500", "unreachable"])
def test_poll__fails__says_since_when_and_recovers_by_its_button(waiting, sign_in, language, text, again, failure):
    page = sign_in("dev", language)

    def fail(route) -> None:
        route.fulfill(status=500, body="<p>broken</p>") if failure == "500" else route.abort()

    # What the page still fetches is not to be caught in between.
    page.wait_for_load_state("load")
    page.route("**/home/requests", fail)
    part = page.locator("#home-requests")
    expect(part.locator("[data-stale]")).to_have_text(re.compile(text), timeout=PATIENCE)
    # What was there is there still, and the rest of the page as well.
    expect(part).to_contain_text(f"#{waiting}")
    expect(page.locator("#home-projects")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("broken")
    page.unroute("**/home/requests")
    part.get_by_role("button", name=again).click()
    expect(part.locator("[data-stale]")).to_have_count(0)
    expect(part).to_contain_text(f"#{waiting}")


def test_poll__session_over__whole_page_goes_to_the_login_and_back(waiting, sign_in, portal):
    page = sign_in("dev")
    Session.objects.all().delete()
    page.wait_for_url(re.compile(r"/login\?next="), timeout=PATIENCE)
    expect(page.locator("input[name=username]")).to_be_visible()
    assert page.url.endswith("next=/") or page.url.endswith("next=%2F")


@pytest.mark.parametrize(
    ("address", "status"), [("/requests/999999", 404), ("/nothing/here", 404), ("/policies/new", 403)]
)
def test_refused__signed_in__keeps_the_navigation(waiting, sign_in, address, status):
    page = sign_in("dev")
    answer = page.goto(address)
    assert answer is not None and answer.status == status
    expect(page.locator("main .pt-refid code")).to_have_text(answer.headers["x-request-id"])
    page.locator("nav").get_by_role("link", name="Projects").click()
    expect(page.locator("main h1")).to_have_text("Projects")

"""Every page of the portal as people meet it: axe finds nothing, nothing runs out of a narrow window, the console is
quiet; in both languages and themes, wide and narrow.

A new page needs a row in VIEWS; test_views__every_address_that_answers_a_page__has_a_row fails until it has one. Who
wants to look too: PORTAL_PICTURES names a folder that gets a picture of each.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, Response

from audit.models import Event
from clusters.models import Cluster
from portal.access import ACCESS
from tests.e2e.showroom import Showroom, furnish
from tests.plugins.portal import RunningPortal
from tests.portal.walk import URLS, World, build, call
from workflow.kinds import all_kinds

# Comes with the packages that the pages are built from: script/assets installs it.
AXE = settings.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1440, 360)
# What is folded away is somebody's page too; a menu would only lie over the rest.
UNFOLD = "for (const one of document.querySelectorAll('details:not([data-menu])')) one.open = true"
# As the button does it.
PUT_ON = "theme => document.documentElement.classList.toggle('pf-v6-theme-dark', theme === 'dark')"
# All rules of axe, and the one of WCAG 2.2 that it leaves out unless it is asked for; or `some` by name.
LOOK = """async some => {
  // The page has its say about a new width, and is drawn.
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const rules = { "target-size": { enabled: true } };
  const which = some.length ? { runOnly: { type: "rule", values: some } } : { rules };
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...which });
  const why = node => [...node.any, ...node.all, ...node.none].map(check => check.message).join(", ");
  const told = node => `\n      ${node.target.join(" ")}: ${node.html.slice(0, 200)} ${why(node)}`;
  return violations.map(v => `${v.id} (${v.impact}): ${v.help}${v.nodes.slice(0, 4).map(told).join("")}`);
}"""
# Themes differ in colours alone.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
# What sticks out furthest, should anything: of the window, or of the part of the page that scrolls by itself; and
# what ends in an ellipsis.
MEASURE = """() => {
  const isWide = part => part.scrollWidth > part.clientWidth;
  const told = (what, parts) => `${what}: ${parts.slice(0, 3).map(one => one.outerHTML.slice(0, 150)).join(" | ")}`;
  const found = [];
  for (const part of [document.documentElement, ...document.querySelectorAll("main, .pf-v6-c-page__main-container")]) {
    const edge = part.getBoundingClientRect().left + part.clientWidth;
    const out = [...part.querySelectorAll("*")].filter(one => one.getBoundingClientRect().right > edge + 1);
    if (isWide(part)) found.push(told(`${part.tagName} is ${part.scrollWidth} px wide, not ${part.clientWidth}`, out));
  }
  const texts = [...document.querySelectorAll(":is(main, nav) :is(td, th, a, span)")];
  const cut = texts.filter(one => isWide(one) && getComputedStyle(one).textOverflow === "ellipsis");
  return cut.length ? [...found, told("cut off", cut)] : found;
}"""
# The page's own part scrolls, so that all of it is seen only in a window as high as that.
HIGH = """() => {
  const hidden = [...document.querySelectorAll("main")].map(part => part.scrollHeight - part.clientHeight);
  return document.documentElement.clientHeight + Math.max(0, ...hidden);
}"""

Act = Callable[[Page], None]
Arguments = Callable[[Showroom], list[Any]]


def nothing(page: Page) -> None:
    """A page as its address answers it."""


def sent(page: Page, button: str) -> None:
    """The form sent past what the browser itself would stop."""
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    with page.expect_navigation():
        page.locator(button).first.click()


def misspelt_login(page: Page) -> None:
    page.fill("#username", "dev")
    page.fill("#password", "not it")
    sent(page, "main button[type=submit]")


def all_parts_with_errors(page: Page) -> None:
    for box in page.locator("input[type=checkbox][name^='environments.']").all():
        box.check()
    for size in page.locator("select[name$='.size']").all():
        size.select_option("")
    sent(page, "main .pt-sticky button[type=submit]")


def with_errors(page: Page) -> None:
    sent(page, "main button.pf-m-primary[type=submit]")


def delegated_to_nobody(page: Page) -> None:
    sent(page, "main form:has([name=ends_at]) button[type=submit]")


def a_token_made(page: Page) -> None:
    page.fill("input[name=name]", "shown once")
    page.locator("input[name=scopes]").first.check()
    sent(page, "main form button.pf-m-primary[type=submit]")


def a_service_token_made(page: Page) -> None:
    page.fill("#id_name", "shown once")
    sent(page, "main form:has([name=once]) button[type=submit]")


def tried(page: Page) -> None:
    page.fill("input[name=priority]", "77")
    sent(page, "button[formaction$='/policies/trial']")


def without_a_note(page: Page) -> None:
    page.locator("[data-bulk-row]:not([disabled])").first.check()
    sent(page, "button[value=reject]")


def with_a_note(page: Page) -> None:
    page.locator("[data-bulk-row]:not([disabled])").last.check()
    page.fill("#bulk-note", "Please say which data it holds.")
    sent(page, "button[value=send_back]")


def chart_drawn(page: Page) -> None:
    page.locator("[data-chart]").scroll_into_view_if_needed()
    page.locator("[data-drawn]").wait_for()


def search_open(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("claims")
    page.locator("#search-panel [role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.locator("#search-panel [aria-selected=true]").wait_for()


def navigation_open(page: Page) -> None:
    page.click("[data-nav-toggle]")


def menu_open(page: Page) -> None:
    page.click(".pt-user")


def bell_open(page: Page) -> None:
    page.click(".pt-bell summary")
    page.wait_for_selector(".pt-bell li")


@dataclass(frozen=True)
class View:
    """A page by its URL name: who looks, at what, after doing what there, and the status that answers."""

    name: str
    who: str = "admin"
    arguments: Arguments = lambda show: []
    query: Callable[[Showroom], str] = lambda show: ""
    act: Act = nothing
    status: int = 200
    widths: tuple[int, ...] = WIDTHS


def request(name: str) -> Arguments:
    return lambda show: [show.requests[name].number]


def one(*values: Any) -> Arguments:
    return lambda show: list(values)


def project(show: Showroom) -> list[Any]:
    return [show.project.uid]


def bundle(show: Showroom) -> list[Any]:
    return [show.project.bundle.uid]


def an_event(action: str) -> Arguments:
    return lambda show: [Event.objects.filter(action=action, tenant="claims").values_list("pk", flat=True)[0]]


def of_project(more: str = "") -> Callable[[Showroom], str]:
    return lambda show: f"project={show.project.uid}{more}"


def said(query: str) -> Callable[[Showroom], str]:
    return lambda show: query


# Forms by kind of request: who may ask, and what the form is opened with.
FORMS: dict[str, tuple[str, Callable[[Showroom], str]]] = {
    "new-project": ("dev", said("tenant=claims")),
    "new-tenant": ("admin", said("")),
    "change-members": ("dev", of_project()),
    "change-tenant-members": ("admin", said("tenant=claims")),
    "delete-project": ("admin", of_project()),
    "change-quota": ("dev", of_project()),
    "rollback-project": ("dev", of_project("&revision=1")),
    "tenant-quota": ("admin", said("tenant=claims")),
    "adopt-namespaces": ("admin", said("")),
    # Has a page of its own, policy-new, where its form sends people to.
    "change-policy": ("admin", said("")),
}

NARROW = WIDTHS[-1:]
# By the room that people are in; one test each, so that a slow machine gets through.
VIEWS = {
    "asking": [
        # Whom the portal does not know, and what it does not have.
        View("login", ""),
        View("login", "", act=misspelt_login, status=403),
        View("cluster", "dev", one("nowhere"), status=404),
        View("home", "dev"),
        View("home", "dev", act=menu_open),
        View("home", "dev", act=navigation_open, widths=NARROW),
        View("home", "dev", act=search_open, widths=WIDTHS[:1]),
        View("search", "dev", query=said("q=claims")),
        View("search", "dev", query=said("q=nowhere")),
        View("tokens", "dev"),
        View("tokens", "dev", act=a_token_made),
        View("reference", "dev"),
        View("reference", "dev", query=said("q=nothing-like-it")),
        *(View("reference-operation", "dev", one(name)) for name in ("requests_create", "requests_list")),
        View("requests", "dev"),
        View("requests", "dev", query=said("state=rejected&tenant=nowhere")),
        View("requests-mine", "dev"),
        View("requests-new", "dev"),
        *(View("request-new", who, one(kind), query) for kind, (who, query) in FORMS.items()),
        View("request-new", "dev", one("new-project"), act=all_parts_with_errors, status=422),
        View("request-edit", "dev", request("sent back")),
        *(View("request-detail", "dev", request(name)) for name in ("sent back", "rejected", "family")),
        *(View("request-detail", "dev", request(name)) for name in ("done", "on its way")),
    ],
    "deciding": [
        View("home", "platform"),
        *(View("request-detail", "platform", request(name)) for name in ("waiting", "quota")),
        *(View("request-detail", "admin", request(name)) for name in ("tenant", "budget", "policy")),
        View("notification-preferences"),
        View("webhooks"),
        View("webhooks", act=with_errors, status=422),
        View("webhook", "admin", lambda show: [show.webhook.uid]),
        View("notifications", "platform"),
        View("notifications", "platform", query=said("sort=portal")),
        View("home", "platform", act=bell_open),
        View("inbox", "platform"),
        View("inbox", "platform", act=without_a_note, status=422),
        View("inbox", "platform", act=with_a_note),
        View("delegations", "platform"),
        View("delegations", "platform", act=delegated_to_nobody, status=422),
        View("policies"),
        View("policy-new"),
        View("policy-new", act=with_errors, status=422),
        View("policy-edit", "admin", one("dev")),
        View("policy-edit", "admin", one("dev"), act=tried),
        View("projects", "dev"),
        View("project-detail", "dev", project, act=chart_drawn),
        View("project-detail", "dev", project, said("range=year&resource=memory"), act=chart_drawn),
        View("project-detail", "dev", lambda show: [show.leaving.uid]),
        View("tenants"),
        View("tenant-detail", "dev", one("claims")),
        View("service-accounts", "owner", one("claims")),
        View("service-accounts", "admin", one("claims"), act=with_errors, status=422),
        View("service-account", "owner", one("claims", "pipeline")),
        View("service-account", "owner", one("claims", "pipeline"), act=a_service_token_made),
        View("service-account", "admin", one("claims", "old-pipeline")),
    ],
    "auditing": [
        View("audit"),
        View("audit", "auditor", query=said("q=claims")),
        View("audit", "owner", query=said("tenant=claims&action=request.submit")),
        View("audit", query=said("q=nowhere&subject=thing:1&call=0123456789")),
        View("audit", query=said("since=yesterday&request=x"), status=422),
        View("audit", "dev", status=403),
        View("audit-event", "auditor", an_event("project.change-quota")),
        View("audit-event", "auditor", an_event("request.submit")),
        View("audit-event", "owner", an_event("project.create")),
    ],
    "fleet": [
        View("clusters"),
        View("clusters", "dev"),
        View("cluster-new"),
        View("cluster-new", act=with_errors, status=422),
        View("cluster-new", "dev", status=403),
        *(View("cluster-edit", "admin", one(name)) for name in ("gitops", "far")),
        View("cluster-capacity", "admin", one("gitops")),
        *(View("cluster", "admin", one(name)) for name in ("gitops", "far", "held", "troubled", "quiet")),
        View("cluster-restore", "admin", one("held")),
        View("bundle", "dev", bundle),
        View("bundle", "dev", lambda show: [show.stuck.uid]),
        View("bundle-drift", "dev", bundle),
    ],
}


@pytest.mark.django_db
def test_views__every_address_that_answers_a_page__has_a_row(gitops_cluster: Cluster) -> None:
    world = build()
    assert {name for name in URLS if answers_a_page(world, name)} == {
        view.name for views in VIEWS.values() for view in views
    }


def answers_a_page(world: World, name: str) -> bool:
    """By the walk's own call: parts of pages lead to their page, others answer no HTML."""
    may = URLS[name].may.get("GET", ())
    if ACCESS[name] == "api" or not may:
        return False
    # Who is signed in has no business on the login page.
    inside = world.person("admin" if "admin" in may else "dev")
    answer = call(world, Client() if ACCESS[name] == "public" else inside, name, "GET")
    return answer.status_code == 200 and answer["Content-Type"].startswith("text/html")


def test_views__every_kind_of_request__has_its_form() -> None:
    assert set(FORMS) == set(all_kinds())


class Visitor:
    """People's browsers that speak one language; what is wrong with pages gathers in `problems`."""

    def __init__(self, pages: dict[str, Page], themes: Sequence[str]) -> None:
        self._pages, self._themes = pages, themes
        self._loud: list[str] = []
        self._statuses: list[int] = []
        self._axe = AXE.read_text()
        self.problems: list[str] = []
        for page in pages.values():
            page.on("console", lambda said: self._loud.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda raised: self._loud.append(str(raised)))
            page.on("response", self._answered)

    def look(self, view: View, address: str) -> None:
        """Opens the page, does what is to be done there, and looks at what is there then."""
        page = self._pages[view.who]
        self._loud.clear()
        page.set_viewport_size({"width": view.widths[0], "height": 900})
        page.goto(address)
        view.act(page)
        if self._statuses[-1] != view.status:
            self._note(view, page, [f"answered {self._statuses[-1]}: {page.inner_text('main')[:300]}"])
        # Found by theme.js from what the system prefers.
        wears = "pf-v6-theme-dark" in str(page.get_attribute("html", "class"))
        assert wears is (self._themes[0] == "dark"), address
        page.evaluate(UNFOLD)
        # What is being fetched again is pale meanwhile.
        page.wait_for_function("() => !document.querySelector('[data-fragment][aria-busy=true]')")
        page.evaluate(self._axe)
        for theme in self._themes:
            page.evaluate(PUT_ON, theme)
            rules = [] if theme == self._themes[0] else OF_COLOURS
            for width in view.widths:
                page.set_viewport_size({"width": width, "height": 900})
                found = page.evaluate(LOOK, rules) + page.evaluate(MEASURE)
                self._note(view, page, [f"{theme}, {width} px: {text}" for text in found])
                self._picture(view, page, theme, width)
        self._note(view, page, [f"console: {said}" for said in self._loud if not self._is_wanted(said, view)])

    def _answered(self, answer: Response) -> None:
        if answer.request.is_navigation_request():
            self._statuses.append(answer.status)

    def _is_wanted(self, said: str, view: View) -> bool:
        """Browsers count the refusal that was asked for among errors, and htmx that it gave up one question for a newer
        one; what really fails has names of its own."""
        is_given_up = said.startswith(("htmx:sendAbort", "htmx:afterRequest"))
        return is_given_up or (view.status >= 400 and f"status of {view.status}" in said)

    def _note(self, view: View, page: Page, found: list[str]) -> None:
        act = "" if view.act is nothing else f" ({view.act.__name__})"
        self.problems += [f"{view.name}{act} as {view.who or 'nobody'}, {page.url}, {text}" for text in found]

    def _picture(self, view: View, page: Page, theme: str, width: int) -> None:
        if folder := os.environ.get("PORTAL_PICTURES"):
            language, last = page.get_attribute("html", "lang"), page.url.split("?")[0].rsplit("/", 1)[1]
            name = f"{view.name}-{last}-{view.act.__name__}-{view.who}-{language}-{theme}-{width}.png"
            page.set_viewport_size({"width": width, "height": page.evaluate(HIGH)})
            page.screenshot(path=str(Path(folder, name)), full_page=True)


@pytest.fixture
def showroom(portal: RunningPortal, gitops_cluster: Cluster) -> Showroom:
    """Furnished, and open."""
    furnished = furnish(gitops_cluster)
    portal.start("web")
    return furnished


# Each language begins with the theme that the other one puts on later.
@pytest.mark.parametrize(("language", "themes"), [("zh-CN", ("light", "dark")), ("en", ("dark", "light"))])
@pytest.mark.parametrize("room", VIEWS)
@pytest.mark.django_db(transaction=True)
def test_pages__in_both_themes_wide_and_narrow__no_violation_no_overflow_quiet_console(
    showroom, sign_in, browser, portal, room, language, themes
):
    options = {"locale": language, "color_scheme": themes[0], "reduced_motion": "reduce"}
    outside = browser.new_context(base_url=portal.url, **options)
    pages = {"": outside.new_page()}
    pages |= {who: sign_in(who, **options) for who in sorted({view.who for view in VIEWS[room]} - {""})}
    visitor = Visitor(pages, themes)
    for view in VIEWS[room]:
        query = view.query(showroom)
        visitor.look(view, reverse(view.name, args=view.arguments(showroom)) + (f"?{query}" if query else ""))
    outside.close()
    assert not visitor.problems, f"{len(visitor.problems)} problems\n" + "\n".join(visitor.problems)

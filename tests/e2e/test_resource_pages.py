"""What people do on the pages of a project, a tenant and a cluster, in both languages, by mouse and by keyboard."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.showroom import furnish

pytestmark = pytest.mark.django_db(transaction=True)
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-CN"])


def said(language: str, english: str, chinese: str) -> str:
    return english if language == "en" else chinese


@pytest.fixture
def show(portal, gitops_cluster):
    furnished = furnish(gitops_cluster)
    portal.start("web")
    return furnished


def valuetext(page: Page) -> str:
    return str(page.locator("[data-chart] [role=slider]").get_attribute("aria-valuetext"))


@LANGUAGES
def test_project__use_over_time__another_range_read_by_keyboard_and_as_a_table(show, sign_in, language):
    page = sign_in("dev", language)
    loud: list[str] = []
    page.on("console", lambda message: loud.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(f"/projects/{show.project.uid}")
    usage = page.locator("#project-usage")
    usage.scroll_into_view_if_needed()
    expect(usage.locator("canvas")).to_be_visible()
    expect(usage.locator("figcaption")).to_contain_text(said(language, "of 4 cores in use; highest", "上限 4 核；最高"))

    # Links that the page answers by a part of it, and its address follows.
    usage.get_by_role("link", name=said(language, "30 days", "30 天")).click()
    expect(page).to_have_url(re.compile(r"range=month&resource=cpu"))
    usage.get_by_role("link", name=said(language, "Memory", "内存")).click()
    expect(page).to_have_url(re.compile(r"range=month&resource=memory"))
    expect(usage.locator("figcaption")).to_contain_text("2 Gi")
    expect(usage.get_by_role("link", name=said(language, "30 days", "30 天"))).to_have_attribute("aria-current", "true")

    # Along time by arrow keys, as a slider.
    slider = usage.locator("[data-drawn] [role=slider]")
    slider.focus()
    newest = valuetext(page)
    page.keyboard.press("ArrowLeft")
    earlier = valuetext(page)
    page.keyboard.press("Home")
    oldest = valuetext(page)
    page.keyboard.press("End")
    assert newest == valuetext(page) and len({newest, earlier, oldest}) == 3
    assert all("2 Gi" in text for text in (newest, earlier, oldest))

    usage.locator("summary").click()
    # A row a day, of which the first has only begun in these 30 days.
    assert usage.locator("tbody tr").count() in (30, 31)
    page.reload()
    expect(usage.locator("figcaption")).to_contain_text(said(language, "Memory", "内存"))
    assert loud == []


def test_project__chart_in_the_dark__drawn_again_in_its_colours(show, sign_in):
    page = sign_in("dev", color_scheme="light")
    page.goto(f"/projects/{show.project.uid}")
    page.locator("[data-chart]").scroll_into_view_if_needed()
    page.locator("[data-drawn]").wait_for()
    paint = "() => document.querySelector('[data-drawn] canvas').toDataURL()"
    light = page.evaluate(paint)
    page.locator("[data-theme-form] button >> visible=true").click()
    page.wait_for_function(f"before => ({paint})() !== before", arg=light)
    expect(page.locator("[data-drawn] canvas")).to_have_count(1)


def test_project__program_of_the_chart_does_not_come__table_instead(show, sign_in):
    page = sign_in("dev")
    page.route("**/chart*.js", lambda route: route.abort())
    page.goto(f"/projects/{show.project.uid}")
    page.locator("#project-usage").scroll_into_view_if_needed()
    expect(page.locator("#project-usage tbody tr").first).to_be_visible()
    expect(page.locator("[data-chart]")).to_be_hidden()


def test_project__without_scripts__table_and_links_work(show, sign_in, browser, portal):
    signed_in = sign_in("dev").context.storage_state()
    plain = browser.new_context(base_url=portal.url, java_script_enabled=False, storage_state=signed_in, locale="en")
    page = plain.new_page()
    page.goto(f"/projects/{show.project.uid}")
    page.locator("#project-usage").get_by_role("link", name="7 days").click()
    expect(page).to_have_url(re.compile(r"\?range=week&resource=cpu#project-usage$"))
    page.locator("#project-usage summary").click()
    expect(page.locator("#project-usage tbody tr").first).to_contain_text("cores")
    plain.close()


@LANGUAGES
def test_project__what_differs_and_what_is_next__leads_there(show, sign_in, language):
    page = sign_in("dev", language)
    page.goto(f"/projects/{show.project.uid}")
    expect(page.locator("#drift-line")).to_contain_text(said(language, "Drift", "漂移"))
    for english, chinese in (("Quota", "配额"), ("Members", "成员"), ("Open requests", "在途申请")):
        expect(page.get_by_role("heading", name=said(language, english, chinese)).first).to_be_visible()
    page.locator("#drift-line a").click()
    expect(page.locator("main h1")).to_be_visible()
    assert page.url.endswith("/drift")


@LANGUAGES
def test_tenant__budget_projects_members__ask_for_a_project_of_it(show, sign_in, language):
    page = sign_in("dev", language)
    page.goto("/tenants/claims")
    for english, chinese in (
        ("Budget", "预算"),
        ("Projects", "项目"),
        ("Members", "成员"),
        ("Open requests", "在途申请"),
    ):
        expect(page.get_by_role("heading", name=said(language, english, chinese)).first).to_be_visible()
    page.locator("main .pt-actions").get_by_role("link", name=said(language, "New project", "新建项目")).click()
    expect(page.locator("[name=tenant]")).to_have_value("claims")


@LANGUAGES
def test_cluster__drift_and_who_has_most__leads_to_the_bundle(show, sign_in, language):
    page = sign_in("admin", language)
    page.goto("/clusters/gitops")
    shares = page.locator("section:has(> .pf-v6-c-card__title #shares)")
    expect(shares.get_by_role("link")).to_have_attribute("href", "/tenants/claims")
    drift = page.locator("section:has(> .pf-v6-c-card__title #drift)")
    expect(drift).to_contain_text("kubectl-edit")
    drift.get_by_role("link").first.click()
    assert page.url.endswith(f"/bundles/{show.project.bundle.uid}/drift")

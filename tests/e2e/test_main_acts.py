"""What people do on each page, in a browser and in both languages: signing in, asking, following, deciding, policies,
tokens, standing in, searching."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.showroom import Showroom, furnish
from tests.e2e.test_axe import FORMS
from tests.plugins.directory import PASSWORD
from workflow.models import Delegation, Policy, Request

pytestmark = pytest.mark.django_db(transaction=True)

LOCALES = {"en": "en", "zh": "zh-CN"}
WORDS = {
    "login": ("Log in", "登录"),
    "wrong": ("The user name or the password is wrong", "账号或密码不对"),
    "send": ("Send the request", "提交申请"),
    "sent": ("is sent.", "已提交"),
    "approved": ("Approved.", "已批准。"),
    "sent back": ("Sent back", "已退回"),
    "withdraw": ("Withdraw", "撤回申请"),
    "withdrawn": ("Withdrawn", "已撤回"),
    "mine": ("My requests", "我的申请"),
    "nothing": ("Nothing found", "未找到结果"),
    "revoked": ("Revoked", "已吊销"),
    "in force": ("In force", "生效中"),
    "taken back": ("Taken back", "已收回"),
}


@pytest.fixture(params=LOCALES)
def language(request) -> str:
    return request.param


@pytest.fixture
def say(language):
    return lambda name: WORDS[name][0 if language == "en" else 1]


@pytest.fixture
def enter(sign_in, language):
    """Signs somebody in whose browser speaks the language."""
    return lambda who: sign_in(who, locale=LOCALES[language])


@pytest.fixture
def show(portal, gitops_cluster) -> Iterator[Showroom]:
    furnished = furnish(gitops_cluster)
    portal.start("web")
    yield furnished


def main(page: Page):
    return page.locator("main")


def test_login__wrong_then_right__asked_for_page_opens(portal, gitops_cluster, browser, language, say):
    portal.start("web")
    context = browser.new_context(base_url=portal.url, locale=LOCALES[language])
    page = context.new_page()
    page.goto("/requests/mine")
    for password in ("not it", PASSWORD):
        page.fill("#username", "dev")
        page.fill("#password", password)
        page.get_by_role("button", name=say("login"), exact=True).click()
        if password != PASSWORD:
            expect(main(page)).to_contain_text(say("wrong"))
    expect(page.get_by_role("heading", name=say("mine"))).to_be_visible()
    assert page.url.endswith("/requests/mine")
    context.close()


def test_forms__every_kind__opens_with_its_button(show, enter):
    pages = {}
    for kind, (who, query) in FORMS.items():
        page = pages.setdefault(who, None) or enter(who)
        pages[who] = page
        page.goto(f"/requests/new/{kind}?{query(show)}")
        expect(main(page).locator("button[type=submit].pf-m-primary").first).to_be_visible()


def test_form__filled_in__each_field_speaks_once_somebody_was_there_and_it_is_sent(show, enter, say):
    page = enter("dev")
    page.goto("/requests/new/new-project?tenant=claims")
    name = page.locator("#id_name")
    name.fill("Not A Name")
    expect(page.locator("#id_name-problem")).to_be_empty()
    name.press("Tab")
    expect(page.locator("#id_name-error")).to_be_visible()
    expect(name).to_have_attribute("aria-invalid", "true")
    assert "id_name-error" in name.get_attribute("aria-describedby")
    # Where nobody was yet, nothing is wrong.
    expect(page.locator("#id_display_name-problem")).to_be_empty()
    # Corrected while the focus stays.
    name.fill("acts")
    expect(page.locator("#id_name-problem")).to_be_empty()
    expect(name).to_be_focused()
    expect(name).not_to_have_attribute("aria-invalid", "true")
    page.fill("#id_display_name", "Acts")
    page.check("input[name='environments.test']")
    page.select_option("select[name='environments.test.size']", "s")
    expect(page.locator("#approval li")).to_have_count(1)
    # What it takes, beside who decides.
    expect(page.locator("#request-takes section")).to_have_count(1)
    page.get_by_role("button", name=say("send"), exact=True).click()
    page.wait_for_url(re.compile(r"/requests/\d+$"))
    expect(main(page)).to_contain_text(say("sent"))
    assert Request.objects.filter(title="claims-acts-test", state="submitted").exists()


def test_form__people__found_in_the_directory_by_keyboard_alone(show, enter):
    page = enter("dev")
    page.goto("/requests/new/new-project?tenant=claims")
    search = page.locator("#id_developers-search")
    search.press_sequentially("aud")
    expect(page.locator("#id_developers-panel [role=option]").first).to_be_visible()
    search.press("ArrowDown")
    assert search.get_attribute("aria-activedescendant")
    search.press("Enter")
    expect(page.locator("#id_developers")).to_have_value("auditor")
    expect(search).to_have_value("")
    expect(search).to_be_focused()


def test_form__without_scripts__problems_after_sending(show, enter, browser, portal, language, say):
    page = enter("dev")
    state = page.context.storage_state()
    context = browser.new_context(
        base_url=portal.url, locale=LOCALES[language], java_script_enabled=False, storage_state=state
    )
    plain = context.new_page()
    plain.goto("/requests/new/new-project?tenant=claims")
    expect(plain.locator("#id_developers-search")).to_be_hidden()
    plain.fill("#id_name", "Not A Name")
    plain.fill("#id_display_name", "x")
    plain.fill("#id_developers", "nobody-of-this-name")
    plain.get_by_role("button", name=say("send"), exact=True).click()
    # What the schema says and what only the portal knows, at once.
    expect(plain.locator("#id_name-error")).to_be_visible()
    expect(plain.locator("#id_developers-error")).to_be_visible()
    context.close()


def test_mine__sorted_filtered_withdrawn(show, enter, say):
    page = enter("dev")
    page.goto("/requests/mine")
    page.locator("thead a.pt-sort").first.click()
    page.wait_for_url(re.compile(r"sort=request"))
    expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)
    names = [re.sub(r"^#\d+ ", "", text) for text in page.locator("[data-row]").all_inner_texts()]
    assert names == sorted(names) and len(names) > 4
    page.select_option("select[name=state]", "submitted")
    main(page).locator(".pt-filters button").click()
    page.wait_for_url(re.compile(r"state=submitted"))
    assert "sort=request" in page.url
    number = show.requests["waiting"].number
    page.click(f"main a[href='/requests/{number}']")
    page.get_by_role("button", name=say("withdraw"), exact=True).click()
    expect(main(page)).to_contain_text(say("withdrawn"))


def test_list__exported__a_file_that_a_spreadsheet_opens(show, enter):
    page = enter("dev")
    page.goto("/requests/mine")
    with page.expect_download() as started:
        page.locator("a[download]").click()
    content = started.value.path().read_bytes()
    assert started.value.suggested_filename.startswith("requests-") and content.startswith(b"\xef\xbb\xbf")
    assert b"claims-waiting-test" in content


def test_inbox__opened_and_approved__the_next_is_offered(show, enter, say):
    page = enter("platform")
    page.goto("/inbox")
    number = show.requests["waiting"].number
    page.click(f"main a[href='/requests/{number}']")
    page.check("input[name=verdict][value=approve]")
    page.click("[data-decide-button]")
    expect(main(page)).to_contain_text(say("approved"))
    assert Request.objects.get(pk=number).state == "approved"


def test_request__sent_back_and_changed__approver_sees_the_change(show, enter, say):
    page, number = enter("dev"), show.requests["sent back"].number
    page.goto(f"/requests/{number}")
    expect(main(page)).to_contain_text(say("sent back"))
    main(page).locator(f"a[href='/requests/{number}/edit']").first.click()
    page.fill("#id_reason", "It holds scans only")
    main(page).locator(".pt-sticky button[type=submit]").click()
    page.wait_for_url(re.compile(rf"/requests/{number}$"))
    approver = enter("platform")
    approver.goto(f"/requests/{number}")
    changes = approver.locator("section[aria-labelledby=changes]")
    expect(changes.locator("ins")).to_have_text("It holds scans only")
    expect(changes.locator("del")).to_have_text("The scanners of the new branch need it")


def test_policies__tried_and_asked_for__decided_by_another_administrator(show, enter, say):
    page = enter("admin")
    page.goto("/policies/new")
    for name, value in {"slug": "acts", "name_zh": "演练", "name_en": "Acts", "priority": "61"}.items():
        page.fill(f"input[name={name}]", value)
    page.fill("[name=condition]", 'environment == "prod"')
    page.select_option("select[name='steps-0-group']", "platform")
    page.locator("button[formaction$='/policies/trial']").first.click()
    expect(page.locator("input[name=priority]")).to_have_value("61")
    main(page).locator("button.pf-m-primary[form=policy-form]").click()
    page.wait_for_url(re.compile(r"/requests/\d+$"))
    address = page.url
    other = enter("admin2")
    other.goto(address)
    other.check("input[name=verdict][value=approve]")
    other.click("[data-decide-button]")
    expect(main(other)).to_contain_text(say("approved"))
    assert Policy.objects.filter(slug="acts", is_active=True).exists()
    other.goto("/policies?q=acts")
    expect(other.locator("main tbody tr")).to_have_count(1)


def test_tokens__made_used_and_revoked(show, enter, say):
    page = enter("dev")
    page.goto("/account/tokens")
    page.fill("input[name=name]", "acts")
    page.locator("input[name=scopes]").first.check()
    main(page).locator("form button.pf-m-primary[type=submit]").click()
    secret = page.inner_text("#secret")
    answer = page.context.request.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.ok and answer.json()["username"] == "dev"
    row = main(page).locator("tbody tr", has_text="acts")
    row.locator("button").click()
    page.goto("/account/tokens?state=revoked")
    expect(main(page).locator("tbody tr", has_text="acts")).to_contain_text(say("revoked"))


def test_delegation__given_by_a_name_from_the_directory_and_taken_back(show, enter, say):
    page = enter("platform")
    page.goto("/delegations")
    Delegation.objects.all().delete()
    page.goto("/delegations")
    page.locator("#id_to").press_sequentially("own")
    expect(page.locator("#id_to-panel [role=option]").first).to_be_visible()
    page.locator("#id_to").press("ArrowDown")
    page.locator("#id_to").press("Enter")
    expect(page.locator("#id_to")).to_have_value("owner")
    page.evaluate(
        "document.querySelector('#id_ends_at').value = new Date(Date.now() + 172800000).toISOString().slice(0, 16)"
    )
    main(page).locator("form:has([name=ends_at]) button[type=submit]").click()
    given = page.locator("section[aria-labelledby=given]")
    expect(given).to_contain_text(say("in force"))
    given.locator("tbody button").click()
    expect(given).to_contain_text(say("taken back"))


def test_search__by_keyboard_alone__panel_then_page(show, enter, say):
    page = enter("dev")
    # Until its scripts are there a page does not listen to keys.
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("imaging")
    panel, box = page.locator("#search-panel"), page.locator("[data-slash]")
    expect(panel.locator("[role=option]").first).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")
    chosen = panel.locator("[aria-selected=true]")
    expect(chosen).to_have_count(1)
    address = chosen.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(address) + "$"))
    page.keyboard.press("/")
    page.keyboard.type("nowhere")
    expect(panel).to_contain_text("nowhere")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search\?q=nowhere"))
    expect(main(page)).to_contain_text(say("nothing"))


def test_search__narrow_window__a_page_of_its_own(show, enter):
    page = enter("dev")
    page.set_viewport_size({"width": 360, "height": 800})
    page.locator(".pt-search-link").click()
    expect(main(page).locator("input[type=search]")).to_be_focused()
    page.keyboard.type("imaging")
    page.keyboard.press("Enter")
    expect(main(page).locator(f"a[href='/projects/{show.project.uid}']")).to_be_visible()
    # Language and theme are in the menu here.
    page.locator("summary.pt-user").click()
    expect(page.locator(".pt-menu-prefs button.pt-lang")).to_be_visible()


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until the focus is there, as somebody without a mouse does."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never leads to {selector}")


def test_main_job__keyboard_alone__asked_and_decided(show, enter, say):
    page = enter("dev")
    tab_to(page, "a[href='#main']")
    page.keyboard.press("Enter")
    tab_to(page, "main a[href='/requests/new/new-project']")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("new-project"))
    tab_to(page, "#id_display_name")
    page.keyboard.type("Keys")
    tab_to(page, "#id_name")
    page.keyboard.type("keys")
    tab_to(page, "input[name='environments.test']")
    page.keyboard.press("Space")
    tab_to(page, "select[name='environments.test.size']")
    expect(page.locator("#approval li")).to_have_count(1)
    tab_to(page, "main .pt-sticky button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/requests/\d+$"))
    number = page.url.rsplit("/", 1)[1]

    approver = enter("platform")
    approver.goto(f"/inbox?q=%23{number}")
    approver.keyboard.press("j")
    assert approver.evaluate("document.activeElement.getAttribute('href')") == f"/requests/{number}"
    approver.keyboard.press("Enter")
    approver.wait_for_url(re.compile(rf"/requests/{number}$"))
    tab_to(approver, "input[name=verdict]")
    assert approver.evaluate("document.activeElement.value") == "approve"
    tab_to(approver, "[data-decide-button]")
    approver.keyboard.press("Enter")
    expect(main(approver)).to_contain_text(say("approved"))
    assert Request.objects.get(pk=number).state == "approved"

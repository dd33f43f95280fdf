"""The two homes in both languages: what a developer has and does next, what waits for an approver and what is risky."""

import pytest
from playwright.sync_api import Page, expect

from clusters.models import Bundle
from tenants.models import Project
from tests.builders import decided_by, wish
from tests.e2e.showroom import REFUSED, furnish
from tests.tenants.doing import asked, everybody
from workflow.models import Step

pytestmark = pytest.mark.django_db(transaction=True)
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-CN"])


def said(language: str, english: str, chinese: str) -> str:
    return english if language == "en" else chinese


def card(page: Page, heading: str) -> object:
    return page.locator("main section.pf-v6-c-card").filter(has=page.get_by_role("heading", name=heading))


@LANGUAGES
def test_home__developer__sent_back_and_wrong_first_then_acts_on_it(portal, gitops_cluster, sign_in, language):
    show = furnish(gitops_cluster)
    portal.start("web")
    page = sign_in("dev", language)
    steps = card(page, said(language, "Next steps", "下一步"))
    number = show.requests["sent back"].number
    expect(steps).to_contain_text(f"#{number} claims-again-test")
    expect(steps).to_contain_text(said(language, "was sent back to you", "已退回给您"))
    expect(steps).to_contain_text(said(language, "is not as it was approved", "与批准的内容不一致"))
    expect(steps).to_contain_text(said(language, "92% of Memory in use", "内存已用 92%"))
    projects = card(page, said(language, "My projects", "我的项目"))
    expect(projects.get_by_role("heading", name="Claims imaging").first).to_be_visible()
    # The main act: from what is short to the form that asks for more of it.
    steps.get_by_role("link", name=said(language, "Ask for more", "申请更多")).click()
    expect(page.locator("main h1")).to_contain_text(said(language, "Change quota", "变更配额"))
    expect(page.locator("[name=project]")).to_have_value(str(show.project.uid))


@LANGUAGES
def test_home__nothing_yet__leads_to_the_first_project(portal, gitops_cluster, sign_in, language):
    everybody()
    portal.start("web")
    page = sign_in("dev", language)
    expect(page.locator("main")).to_contain_text(said(language, "You have no project yet", "您还没有项目"))
    page.locator("main").get_by_role("link", name=said(language, "Ask for a project", "申请项目")).click()
    expect(page.locator("[name=display_name]")).to_be_visible()


@LANGUAGES
def test_home__approver__what_is_due_first_with_age_and_risk_and_nothing_else(
    portal, gitops_cluster, sign_in, language
):
    people = everybody()
    decided_by("platform")
    calm = asked("new-project", people["dev"], **wish(name="calm"))
    large = asked("new-project", people["dev"], **wish(name="large", cpu="16"))
    Step.objects.filter(request=large).update(due_at=calm.submitted_at)
    portal.start("web")
    page = sign_in("platform", language)
    expect(page.locator("main .pt-lead")).to_contain_text(
        said(language, "2 requests wait for your decision", "2 项申请等待您审批")
    )
    waiting = card(page, said(language, "Waiting for your decision", "等待您审批"))
    first = waiting.locator("li").first
    expect(first).to_contain_text(f"#{large.number}")
    expect(first).to_contain_text(said(language, "Overdue", "已逾期"))
    expect(first).to_contain_text(said(language, "Risk: Medium", "风险：中"))
    expect(first).to_contain_text(said(language, "waiting since", "等待自"))
    assert page.locator("#home-projects, #home-requests").count() == 0
    # The main act: from what is urgent to the inbox narrowed to it, and into the request.
    page.get_by_role("link", name=said(language, "1 is due within a day", "1 项将在一天内到期")).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody a[data-row]").click()
    expect(page.locator("input[name=verdict][value=approve]")).to_be_visible()


def test_home__failed_project_beyond_the_newest__still_first(portal, gitops_cluster, sign_in):
    people = everybody()
    numbers = [asked("new-project", people["dev"], **wish(environment="dev")).uid for _ in range(8)]
    oldest = Project.objects.get(uid=numbers[0])
    Bundle.objects.filter(pk=oldest.bundle_id).update(blocked=True, message=REFUSED)
    portal.start("web")
    page = sign_in("dev")
    expect(card(page, "Next steps")).to_contain_text("could not be applied")
    expect(page.locator("#home-projects")).to_contain_text(oldest.namespace)
    expect(page.locator("#home-projects h2")).to_contain_text("8")

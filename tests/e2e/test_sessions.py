"""A session that ends while somebody is at a page: the whole page goes to the login, and what was typed comes back."""

import re
import time

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from accounts import sessions
from portal.sessions import SessionStore
from tests.plugins.directory import PASSWORD

REASON = "Radiographs of claims are to be kept for ten years."


def end_sessions():
    """As if nothing had happened for an hour."""
    for row in Session.objects.all():
        store = SessionStore(row.session_key)
        store[sessions.SEEN] = int(time.time()) - 3600
        store.save()


def log_in(page, username="dev"):
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")


def typed(page):
    page.goto("/requests/new/new-project")
    page.select_option("select[name=tenant]", "claims")
    page.fill("input[name=display_name]", "Claims imaging")
    page.fill("input[name=name]", "imaging")
    page.fill("[name=reason]", REASON)
    page.check("input[name='environments.test']")
    # The preview answers before anything else happens.
    page.wait_for_load_state("networkidle")


def assert_back(page):
    page.wait_for_url(re.compile("/requests/new/new-project"))
    expect(page.locator("[name=reason]")).to_have_value(REASON)
    expect(page.locator("select[name=tenant]")).to_have_value("claims")
    expect(page.locator("input[name='environments.test']")).to_be_checked()
    assert page.evaluate("sessionStorage.getItem('typed')") is None


@pytest.mark.django_db(transaction=True)
def test_session__ends_while_somebody_fills_in_a_form__login_as_a_whole_page_and_all_is_back(
    portal, gitops_cluster, sign_in
):
    portal.start("web")
    page = sign_in("dev")
    typed(page)
    end_sessions()
    page.select_option("select[name='environments.test.size']", index=1)
    page.wait_for_url(re.compile("/login"))
    expect(page.locator("main")).to_contain_text("You have been signed out")
    log_in(page)
    assert_back(page)


@pytest.mark.django_db(transaction=True)
def test_session__ends_before_the_form_is_sent__all_is_back_and_can_be_sent(portal, gitops_cluster, sign_in):
    portal.start("web")
    page = sign_in("dev")
    typed(page)
    end_sessions()
    page.evaluate("document.querySelector('#request-form').requestSubmit()")
    page.wait_for_url(re.compile("/login"))
    log_in(page)
    assert_back(page)


@pytest.mark.django_db(transaction=True)
def test_session__somebody_else_signs_in__does_not_see_what_was_typed(portal, gitops_cluster, sign_in):
    portal.start("web")
    page = sign_in("dev")
    typed(page)
    end_sessions()
    page.select_option("select[name='environments.test.size']", index=1)
    page.wait_for_url(re.compile("/login"))
    log_in(page, "owner")
    page.wait_for_url(re.compile("/requests/new/new-project"))
    expect(page.locator("[name=reason]")).to_have_value("")
    assert page.evaluate("sessionStorage.getItem('typed')") is None

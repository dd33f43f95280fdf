"""The main job: ask, decide, apply, see; by browser and by REST, on a real API server and on GitOps."""

import re

import pytest
from playwright.sync_api import expect

from tests.plugins.directory import PASSWORD
from tests.programs import Client, live
from tests.waiting import eventually

SAME_KINDS = "namespace,resourcequota,limitrange,networkpolicy,rolebinding"


def fill_form(page, name, environment="test"):
    page.goto("/requests/new/new-project")
    page.select_option("select[name=tenant]", "claims")
    page.fill("input[name=display_name]", "Claims imaging")
    page.fill("input[name=name]", name)
    page.check(f"input[name='environments.{environment}']")
    page.select_option(f"select[name='environments.{environment}.size']", "")
    for field, figure in {"cpu": "2500m", "memory": "4Gi", "storage": "20Gi", "pods": "20"}.items():
        page.fill(f"input[name='environments.{environment}.{field}']", figure)
    page.fill("[name=viewers]", "auditor")
    page.click("main button:has-text('Send the request')")
    page.wait_for_url(re.compile(r"/requests/\d+$"))


def can(kubectl, namespace, who, *what):
    answer = kubectl("auth", "can-i", *what, "-n", namespace, "--as", who, "--quiet=false")
    return answer.strip().splitlines()[-1] == "yes"


def may(kubectl, namespace, who, *what):
    from script.local.controlplane import KubectlFailed

    try:
        return can(kubectl, namespace, who, *what)
    except KubectlFailed:  # kubectl answers "no" with exit code 1
        return False


@pytest.mark.django_db(transaction=True)
def test_main_job__in_a_browser__on_the_api_server_as_planned(portal, real_cluster, kubectl, sign_in, unique):
    portal.start("web", "worker", "dispatch")
    name = unique("img")
    namespace = f"claims-{name}-test"
    asker = sign_in("dev")
    fill_form(asker, name)
    number = asker.url.rsplit("/", 1)[1]
    expect(asker.locator("main")).to_contain_text("Waits for Platform")

    approver = sign_in("platform")
    approver.goto("/inbox")
    approver.click(f"main a[href='/requests/{number}']")
    expect(approver.locator("main")).to_contain_text("requests.cpu: 2500m")
    approver.check("input[name=verdict][value=approve]")
    approver.click("[data-decide-button]")

    for page in (approver, asker):
        expect(page.locator("#request-timeline")).to_contain_text("10 of 10 objects", timeout=30_000)
        expect(page.locator("main")).to_contain_text("Ready", timeout=30_000)
    assert live(kubectl, namespace, "namespace", namespace)["metadata"]["labels"]["portal.cloud/tenant"] == "claims"
    quota = live(kubectl, namespace, "resourcequota", "portal-quota")
    assert quota["spec"]["hard"]["limits.cpu"] == "2500m"
    assert quota["status"]["hard"] == quota["spec"]["hard"]
    limits = live(kubectl, namespace, "limitrange", "portal-limits")
    assert limits["spec"]["limits"][0]["defaultRequest"]["cpu"] == "100m"
    deny = live(kubectl, namespace, "networkpolicy", "portal-default-deny")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert may(kubectl, namespace, "dev", "create", "deployments.apps")
    assert not may(kubectl, namespace, "dev", "delete", "networkpolicies.networking.k8s.io")
    assert not may(kubectl, namespace, "dev", "update", "resourcequotas")
    assert may(kubectl, namespace, "auditor", "get", "pods")
    assert not may(kubectl, namespace, "auditor", "create", "deployments.apps")
    assert not may(kubectl, namespace, "stranger", "get", "pods")

    asker.goto("/projects")
    asker.click("main a:has-text('Claims imaging')")
    expect(asker.locator("main")).to_contain_text(namespace)
    expect(asker.locator("main")).to_contain_text("Ready")


def by_rest(portal, name, sign_in, cluster, final_state):
    """The main job by REST alone; the people have signed in once, so that the portal knows their roles."""
    for who in ("dev", "platform"):
        sign_in(who)
    dev, approver = Client(portal, "dev", "read", "request"), Client(portal, "platform", "read", "decide")
    one = {"environment": "test", "cpu": "1", "memory": "1Gi", "storage": "0", "pods": 5, "cluster": cluster}
    values = {"tenant": "claims", "name": name, "display_name": "By REST", "environments": [one]}
    made = dev.call("POST", "/requests", {"kind": "new-project", "values": values}, status=201)
    assert made["state"] == "submitted"
    number = made["number"]
    waiting = approver.call("GET", "/requests?state=submitted")
    assert [row["number"] for row in waiting["items"]] == [number]
    plan = approver.call("GET", f"/requests/{number}/plan")
    assert {change["action"] for change in plan["changes"]} == {"add"}
    dev.call("POST", f"/requests/{number}/decision", {"verdict": "approve"}, status=403)
    told = approver.call("POST", f"/requests/{number}/decision", {"verdict": "approve"}, status=409)
    assert told["plan"]["digest"] == plan["digest"]
    decision = {"verdict": "approve", "plan_digest": plan["digest"]}
    approver.call("POST", f"/requests/{number}/decision", decision)

    def settled():
        progress = dev.call("GET", f"/requests/{number}")["progress"]
        return progress if progress["state"] == final_state else None

    progress = eventually(settled, 30, f"the project is {final_state}")
    assert dev.call("GET", "/projects")["items"][0]["state"] == final_state
    return progress


@pytest.mark.django_db(transaction=True)
def test_main_job__by_rest_alone__on_the_api_server(portal, real_cluster, kubectl, sign_in, unique):
    portal.start("web", "worker", "dispatch")
    name = unique("rest")
    by_rest(portal, name, sign_in, "real", "ready")
    quota = live(kubectl, f"claims-{name}-test", "resourcequota", "portal-quota")
    assert quota["spec"]["hard"]["pods"] == "5"


@pytest.mark.django_db(transaction=True)
def test_main_job__on_a_gitops_cluster__committed(portal, gitops_cluster, committed, sign_in, unique):
    portal.start("web", "worker", "dispatch")
    name = unique("git")
    progress = by_rest(portal, name, sign_in, "gitops", "committed")
    assert re.fullmatch("[0-9a-f]{40}", progress["commit"])
    kinds = sorted(manifest["kind"] for manifest in committed().values())
    assert kinds == ["LimitRange", "Namespace"] + ["NetworkPolicy"] * 3 + ["ResourceQuota", "RoleBinding"]


@pytest.mark.django_db(transaction=True)
def test_login__session__outlives_the_directory(portal, gitops_cluster, directory, sign_in):
    portal.start("web")
    page = sign_in("dev")
    with directory.down():
        page.goto("/projects")
        expect(page.locator("h1")).to_contain_text("Projects")
        other = page.context.browser.new_context(base_url=portal.url, locale="en").new_page()
        other.goto("/login")
        other.fill("input[name=username]", "owner")
        other.fill("input[name=password]", PASSWORD)
        other.click("main button[type=submit]")
        expect(other.locator("main")).to_contain_text("directory does not answer")
        other.context.close()

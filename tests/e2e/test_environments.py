"""Development, test and production asked for in one request, and a change of quota decided against a moving target; by
browser and by REST, on a real API server."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.programs import Client, live
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
FIGURES = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": "20"}


def hard(kubectl, namespace):
    return live(kubectl, namespace, "resourcequota", "portal-quota")["spec"]["hard"]


def exists(kubectl, namespace):
    return namespace in kubectl("get", "namespaces", "-o", "name")


def ask_for_three(page, name):
    page.goto("/requests/new/new-project")
    page.select_option("select[name=tenant]", "claims")
    page.fill("input[name=display_name]", "Claims imaging")
    page.fill("input[name=name]", name)
    for environment in ("dev", "test", "prod"):
        page.check(f"input[name='environments.{environment}']")
        page.select_option(f"select[name='environments.{environment}.size']", "s")
    # Who will have to decide is known before it is sent.
    expect(page.locator("#approval")).to_contain_text("Data centre")
    expect(page.locator("#approval")).to_contain_text("Security")
    page.click("main button:has-text('Send the request')")
    page.wait_for_url(re.compile(r"/requests/\d+$"))


def approve_in(page, number):
    page.goto(f"/requests/{number}")
    page.check("input[name=verdict][value=approve]")
    page.click("[data-decide-button]")


def test_three_environments__in_a_browser__each_at_its_own_pace(portal, real_cluster, kubectl, sign_in, unique):
    portal.start("web", "worker", "dispatch")
    name = unique("env")
    asker = sign_in("dev")
    ask_for_three(asker, name)
    children = [link.get_attribute("href") for link in asker.locator("section[aria-labelledby=children] a").all()]
    dev, test, prod = (int(address.rsplit("/", 1)[1]) for address in children)

    # Development runs without a human, while the others wait.
    asker.goto(f"/requests/{dev}")
    expect(asker.locator("#request-timeline")).to_contain_text("Ready", timeout=30_000)
    eventually(lambda: exists(kubectl, f"claims-{name}-dev"), 30, "the namespace of development")
    assert not exists(kubectl, f"claims-{name}-test")
    approve_in(sign_in("platform"), test)

    datacenter = sign_in("datacenter")
    approve_in(datacenter, prod)
    expect(datacenter.locator("#request-timeline")).to_contain_text("Waits for Security")
    assert not exists(kubectl, f"claims-{name}-prod")
    security = sign_in("security")
    approve_in(security, prod)
    expect(security.locator("#request-timeline")).to_contain_text("Ready", timeout=30_000)
    for environment in ("test", "prod"):
        eventually(lambda e=environment: exists(kubectl, f"claims-{name}-{e}"), 30, environment)
    assert hard(kubectl, f"claims-{name}-prod")["limits.cpu"] == "2"


def project_of(client, namespace):
    found = [one for one in client.call("GET", "/projects")["items"] if one["namespace"] == namespace]
    return found[0] if found else None


def test_change_quota__live_quota_changed_meanwhile__approver_is_told(portal, real_cluster, kubectl, sign_in, unique):
    """The request by REST, the decision in the browser."""
    portal.start("web", "worker", "dispatch")
    name = unique("env")
    namespace = f"claims-{name}-test"
    approver = sign_in("platform")
    sign_in("dev")
    dev = Client(portal, "dev", "read", "request")
    one = {"environment": "test", "size": "s"}
    values = {"tenant": "claims", "name": name, "display_name": "By REST", "environments": [one]}
    number = dev.call("POST", "/requests", {"kind": "new-project", "values": values}, status=201)["number"]
    approve_in(approver, number)
    eventually(lambda: dev.call("GET", f"/requests/{number}")["progress"]["state"] == "ready", 40, "it is ready")

    wanted = {"project": project_of(dev, namespace)["uid"], **FIGURES, "cpu": "6", "pods": 20}
    asked = dev.call("POST", "/requests", {"kind": "change-quota", "values": wanted}, status=201)
    assert asked["state"] == "submitted"
    approver.goto(f"/requests/{asked['number']}")
    expect(approver.locator("main")).to_contain_text("limits.cpu: 6")
    by_hand = {"spec": {"hard": {"pods": "99"}}}
    kubectl("patch", "resourcequota", "portal-quota", "-n", namespace, "--type=merge", "-p", json.dumps(by_hand))
    approver.check("input[name=verdict][value=approve]")
    approver.click("[data-decide-button]")
    expect(approver.locator("main")).to_contain_text("Something changed since you looked")
    expect(approver.locator("main")).to_contain_text("pods: 99")
    assert hard(kubectl, namespace)["limits.cpu"] == "2"
    approver.check("input[name=verdict][value=approve]")
    approver.click("[data-decide-button]")
    expect(approver.locator("#request-timeline")).to_contain_text("Ready", timeout=30_000)
    eventually(lambda: hard(kubectl, namespace)["limits.cpu"] == "6", 30, "the new quota")
    assert hard(kubectl, namespace)["pods"] == "20"


def test_three_environments__by_rest_alone__prod_takes_two_groups(portal, real_cluster, kubectl, sign_in, unique):
    portal.start("web", "worker", "dispatch")
    name = unique("env")
    for who in ("dev", "platform", "datacenter", "security"):
        sign_in(who)
    dev = Client(portal, "dev", "read", "request")
    deciders = {who: Client(portal, who, "read", "decide") for who in ("platform", "datacenter", "security")}
    environments = [{"environment": environment, "size": "s"} for environment in ("dev", "test", "prod")]
    values = {"tenant": "claims", "name": name, "display_name": "By REST", "environments": environments}
    parent = dev.call("POST", "/requests", {"kind": "new-project", "values": values}, status=201)
    children = dev.call("GET", f"/requests?parent={parent['number']}")["items"]
    numbers = {child["environment"]: child["number"] for child in children}
    states = {child["environment"]: child["state"] for child in children}
    assert states == {"dev": "approved", "test": "submitted", "prod": "submitted"}

    def decide(who, environment, status=200):
        number = numbers[environment]
        digest = deciders[who].call("GET", f"/requests/{number}/plan")["digest"]
        said = {"verdict": "approve", "plan_digest": digest}
        return deciders[who].call("POST", f"/requests/{number}/decision", said, status=status)

    decide("security", "prod", status=403)
    assert decide("datacenter", "prod")["state"] == "submitted"
    decide("datacenter", "prod", status=403)
    assert decide("security", "prod")["state"] == "approved"
    decide("platform", "test")
    for number in numbers.values():
        eventually(
            lambda n=number: dev.call("GET", f"/requests/{n}")["progress"]["state"] == "ready",
            60,
            f"#{number} is ready",
        )
    assert dev.call("GET", f"/requests/{parent['number']}")["state"] == "approved"
    for environment in ("dev", "test", "prod"):
        assert hard(kubectl, f"claims-{name}-{environment}")["limits.memory"] == "4Gi"

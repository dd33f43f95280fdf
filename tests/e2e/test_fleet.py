"""What administrators and developers do on the pages of the fleet, by browser and on a real API server: registering a
cluster, closing its circuit, trying again, bringing drift back, going on after a restore."""

import base64
import json
import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page, expect

from clusters.drivers.base import REVISION_ANNOTATION
from clusters.models import Bundle, Cluster, Health
from clusters.services import register_cluster
from tenants.models import Project
from tests.builders import a_user, wish
from tests.clusters.test_restore import go_back
from tests.programs import live
from tests.tenants.doing import arrived, asked, made
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
ALL = ("web", "worker", "dispatch")
LARGER = {"cpu": "4", "memory": "2Gi", "storage": "20Gi", "pods": 20}
# Until a fragment that asks every ten seconds has told of what a worker did.
PATIENCE = 40_000


def titled(page: Page, english: Sequence[str], chinese: Sequence[str]) -> None:
    """The headings in both languages, by the button that changes the language of this very page."""
    for button, headings in (("中文", chinese), ("English", english)):
        page.get_by_role("button", name=button, exact=True).click()
        for heading in headings:
            expect(page.get_by_role("heading", name=heading).first).to_be_visible(timeout=PATIENCE)


def press(page: Page, button: str) -> None:
    page.locator("main").get_by_role("button", name=button).click()


def seen(page: Page, text: str) -> bool:
    """Whether the page says so when it is loaded again."""
    page.reload()
    return text in page.inner_text("main")


def kubeconfig(server: str, ca: str, **user: str) -> str:
    """As `kubectl config view --raw` prints it, for one who copies it."""
    authority = base64.b64encode(ca.encode()).decode()
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority-data": authority}}],
            "users": [{"name": "portal", "user": user}],
            "contexts": [{"name": "portal", "context": {"cluster": "c", "user": "portal"}}],
            "current-context": "portal",
        }
    )


def asked_for(name: str) -> Bundle:
    """Of a project in development, which the policy approves at once."""
    request = asked("new-project", a_user("dev"), **wish(environment="dev", name=name))
    assert request.state == "approved"
    return Project.objects.get(uid=request.uid).bundle


def hard(kubectl, namespace: str) -> dict[str, str]:
    return live(kubectl, namespace, "resourcequota", "portal-quota")["spec"]["hard"]


def test_register__kubeconfig_pasted__probed_and_the_token_nowhere(portal, control_plane, sign_in, unique):
    portal.start(*ALL)
    admin, name = sign_in("admin"), unique("north")
    admin.goto("/clusters")
    expect(admin.locator("main")).to_contain_text("No clusters yet")
    admin.locator("main").get_by_role("link", name="Register a cluster").first.click()
    titled(
        admin,
        ("Register a cluster", "The cluster", "By kubeconfig", "How it is reached", "What it accepts"),
        ("注册集群", "集群", "通过 kubeconfig", "连接方式", "承接范围"),
    )
    admin.fill("input[name=name]", name)
    admin.fill("input[name=description]", "Container cloud of the north")
    admin.check("input[name=environments][value=dev]")

    # Without credentials nothing is registered; what went wrong is read first, and what was typed is still there.
    admin.fill("textarea[name=kubeconfig]", kubeconfig(control_plane.server, control_plane.ca))
    press(admin, "Save")
    expect(admin.locator("#form-errors")).to_be_focused()
    expect(admin.locator("input[name=name]")).to_have_value(name)
    assert not Cluster.objects.exists()

    whole = kubeconfig(control_plane.server, control_plane.ca, token=control_plane.token)
    admin.fill("textarea[name=kubeconfig]", whole)
    press(admin, "Save")
    expect(admin.locator("main")).to_contain_text(f"{name} is registered; the portal looks at it at once.")
    admin.get_by_role("link", name=name, exact=True).click()
    health = admin.locator("#cluster-health")
    expect(health).to_contain_text("It answers, and nothing is missing that the portal needs.", timeout=PATIENCE)
    version = json.loads(control_plane.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    expect(health).to_contain_text(version)
    titled(
        admin,
        (name, "Health", "Capacity", "What runs there", "What it says of itself", "Settings"),
        (name, "健康状态", "容量", "运行内容", "集群自述", "设置"),
    )
    admin.get_by_role("link", name="Edit").click()
    expect(admin.locator("input[name=address]")).to_have_value(control_plane.server)
    assert control_plane.token not in admin.content()


@pytest.fixture
def far(control_plane, api_proxy, transactional_db) -> Cluster:
    """The real API server behind a proxy that can be gone."""
    said = {"driver": "kubernetes", "flavour": "kubernetes", "environments": ["dev"], "token": control_plane.token}
    return register_cluster(name="far", address=api_proxy.address, ca=api_proxy.ca, by=None, at=timezone.now(), **said)


def is_put_off() -> bool:
    """The next try, moved an hour away as after many of them; not while one is under way."""
    at_rest = Health.objects.filter(open_since__isnull=False, lease_until__isnull=True, offered_until__isnull=True)
    return bool(at_rest.update(due_at=timezone.now() + timedelta(hours=1)))


def test_circuit__cluster_gone_and_back__open_until_try_now(portal, far, api_proxy, sign_in):
    portal.start(*ALL)
    admin = sign_in("admin")
    admin.goto("/clusters/far")
    health = admin.locator("#cluster-health")
    expect(health).to_have_attribute("data-state", "Reachable", timeout=PATIENCE)

    api_proxy.stop()
    press(admin, "Try now")
    expect(admin.locator("main")).to_contain_text("far is being probed.")
    expect(health).to_have_attribute("data-state", "Not reachable", timeout=PATIENCE)
    expect(health).to_contain_text("The cluster cannot be reached (Connection refused).")
    expect(health).to_contain_text("Changes that are approved meanwhile wait and are applied once it answers.")
    eventually(is_put_off, 30, "no try is under way")
    admin.goto("/clusters")
    expect(admin.locator("main")).to_contain_text("1 of 1 needs attention")
    expect(admin.locator("main")).to_contain_text("in 1 hour")
    titled(admin, ("Clusters",), ("集群",))

    # Nobody but the button has it tried before that.
    api_proxy.start()
    admin.get_by_role("link", name="far", exact=True).click()
    titled(admin, ("far", "Health"), ("far", "健康状态"))
    press(admin, "Try now")
    expect(health).to_have_attribute("data-state", "Reachable", timeout=PATIENCE)
    expect(health).not_to_contain_text("cannot be reached")


def test_retry__namespace_of_somebody_else_taken_away__applied(portal, real_cluster, kubectl, sign_in, unique):
    bundle = asked_for(unique("own"))
    # Between the approval and the worker.
    kubectl("create", "namespace", bundle.namespace)
    portal.start(*ALL)
    dev = sign_in("dev")
    dev.goto(f"/bundles/{bundle.uid}")
    state = dev.locator("#bundle-state")
    expect(state).to_have_attribute("data-state", "Failed", timeout=PATIENCE)
    expect(state).to_contain_text(bundle.namespace)
    dev.reload()
    titled(
        dev,
        ("Kubernetes objects", "Everything in revision 1", "Revisions", "Runs"),
        ("Kubernetes 对象", "版本 1 的全部内容", "版本", "执行记录"),
    )
    expect(dev.locator("#runs details").first).to_have_attribute("open", "")
    kubectl("delete", "namespace", bundle.namespace)

    press(dev, "Try again")
    expect(state).to_have_attribute("data-state", "Ready", timeout=PATIENCE)
    expect(state.get_by_role("button", name="Try again")).to_have_count(0)
    assert hard(kubectl, bundle.namespace)["limits.cpu"] == "2"


def test_drift__quota_changed_by_kubectl__seen_and_brought_back(portal, real_cluster, kubectl, sign_in, unique):
    bundle = asked_for(unique("drift"))
    portal.start(*ALL, PORTAL_DRIFT_SECONDS="2")
    dev = sign_in("dev")
    dev.goto(f"/bundles/{bundle.uid}")
    expect(dev.locator("#bundle-state")).to_have_attribute("data-state", "Ready", timeout=PATIENCE)

    by_hand = json.dumps({"spec": {"hard": {"pods": "99"}}})
    kubectl("patch", "quota", "portal-quota", "-n", bundle.namespace, "--type=merge", "-p", by_hand)
    eventually(lambda: seen(dev, "1 object differs from what was approved"), 60, "the drift is found")
    dev.get_by_role("link", name="See what differs").click()
    titled(
        dev,
        (f"Drift of {bundle.namespace}", "Differs from what was approved"),
        (f"{bundle.namespace} 的漂移", "与已批准的内容不一致"),
    )
    for text in ("spec.hard.pods: 99", "spec.hard.pods: 20", "by kubectl-patch"):
        expect(dev.locator("#drift")).to_contain_text(text)

    press(dev, "Bring back what was approved")
    expect(dev.locator("main")).to_contain_text("What differs is being brought back.")
    eventually(lambda: hard(kubectl, bundle.namespace)["pods"] == "20", 60, "the quota is as it was approved")
    eventually(lambda: seen(dev, "Everything the portal keeps is as it was approved."), 60, "nothing differs any more")


def test_restore__cluster_is_newer__held_until_an_administrator_confirms(
    portal, real_cluster, kubectl, sign_in, unique
):
    project = made(a_user("dev"), name=unique("old"))
    bundle, namespace = project.bundle, project.namespace
    asked("change-quota", a_user("dev"), project=str(project.uid), **LARGER)
    eventually(lambda: arrived(bundle), 60, "the quota is raised after the backup")
    assert hard(kubectl, namespace)["limits.cpu"] == "4"
    go_back(bundle, 1)
    call_command("hold_fleet", "real")
    portal.start(*ALL)

    # Who keeps no clusters is told, and offered nothing.
    dev = sign_in("dev")
    dev.goto("/clusters/real")
    expect(dev.locator("main")).to_contain_text("An administrator has to confirm what differs.")
    expect(dev.get_by_role("link", name="See what differs, and confirm")).to_have_count(0)

    admin = sign_in("admin")
    admin.goto("/clusters")
    expect(admin.locator("main")).to_contain_text("Held after a restore")
    admin.get_by_role("link", name="real", exact=True).click()
    admin.get_by_role("link", name="See what differs, and confirm").click()
    eventually(lambda: seen(admin, namespace), 60, "the cluster was looked at")
    titled(
        admin,
        ("After the restore: real", "Where the cluster and this database differ"),
        ("恢复之后：real", "集群与本数据库的差异"),
    )
    row = admin.locator("tr", has_text=namespace)
    expect(row).to_contain_text("The cluster has revision 2; this database knows revision 1.")
    assert hard(kubectl, namespace)["limits.cpu"] == "4"
    row.get_by_label("as this database says").check()
    press(admin, "I have seen this: go on")
    expect(admin.locator("main")).to_contain_text("Work on real goes on.")
    eventually(lambda: hard(kubectl, namespace)["limits.cpu"] == "2", 60, "it is written again")
    fence = live(kubectl, namespace, "resourcequota", "portal-quota")["metadata"]["annotations"][REVISION_ANNOTATION]
    assert fence == f"{bundle.uid}/3"
    admin.goto(f"/bundles/{bundle.uid}")
    expect(admin.locator("#bundle-state")).to_have_attribute("data-state", re.compile("Ready"), timeout=PATIENCE)

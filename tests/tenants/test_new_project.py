"""The kind "new project": state and manifests of a request, members in one spelling, and what cannot be placed."""

import json
import threading
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import User
from clusters.models import Bundle, Cluster
from tenants.kinds.new_project import NewProject, members_of
from tenants.models import Project
from tenants.rows import member_rows, quota_bars
from tests.builders import a_bundle, a_tenant, a_user, ready_portal, wish
from web.errors import Forbidden, Invalid
from workflow import queries
from workflow.models import Policy, Request
from workflow.services import decide, submit
from workflow.services.policies import one_of
from workflow.services.possible import NotPossibleNow
from workflow.services.rounds import NoPolicy
from workflow.services.submit import TargetBusy

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden" / "new_project.json"
KIND = NewProject()
TEAM = "cn=claims-team,ou=groups,dc=insurer,dc=example"


@pytest.fixture
def dev(gitops_cluster) -> User:
    ready_portal()
    a_tenant("claims", dev="developer", guest="viewer")
    a_tenant("motor", stranger="developer")
    return a_user("dev")


def ask(by: User, **changes: object) -> Request:
    return submit(kind="new-project", values=wish(**changes), by=by, at=timezone.now())


def test_render__a_whole_request__state_and_manifests_as_golden(dev, directory):
    Cluster.objects.update(
        user_format="oidc:{username}",
        group_format="oidc:{cn}",
        ingress_labels={"network.openshift.io/policy-group": "ingress"},
        monitoring_labels={"kubernetes.io/metadata.name": "monitoring"},
    )
    who = {"developers": ["owner"], "viewers": ["auditor", "owner", "dev"], "developer_groups": [TEAM]}
    request = ask(dev, name="imaging", cpu="2500m", cost_centre="4711", **who)
    state = KIND.state(request)
    assert state.pop("project") == str(request.uid)
    manifests = KIND.render(KIND.state(request))
    # Of every run another one.
    text = json.dumps({"state": state, "manifests": manifests}).replace(str(request.uid), "uid-of-the-request")
    assert json.loads(text) == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize(
    ("group_format", "name"), [("{cn}", "claims-team"), ("{dn}", TEAM), ("ldap:{cn}", "ldap:claims-team")]
)
def test_state__group__called_as_the_cluster_does(dev, directory, group_format, name):
    Cluster.objects.update(group_format=group_format)
    request = ask(dev, developer_groups=[TEAM.replace(",", ", ").upper()])
    subjects = [member["subject"] for member in KIND.state(request)["members"]]
    assert {"kind": "Group", "name": name} in subjects


def test_state__group_with_a_comma_in_its_name__whole_name(dev, directory):
    dn = "cn=claims\\2C imaging,ou=groups,dc=insurer,dc=example"
    member = "uid=dev,ou=people,dc=insurer,dc=example"
    with directory.with_entry(dn, {"objectClass": ["groupOfNames"], "member": [member]}):
        request = ask(dev, developer_groups=[dn])
    names = [m["subject"]["name"] for m in KIND.state(request)["members"]]
    assert names == ["claims, imaging", "dev"]


@pytest.mark.parametrize(
    ("group_format", "name"),
    [("{cn}", "Platform-SRE"), ("{dn}", "cn=Platform-SRE+ou=Cluster-Admins,ou=groups,dc=insurer,dc=example")],
)
def test_state__group_in_upper_case_with_several_names__as_the_directory_spells_it(dev, directory, group_format, name):
    Cluster.objects.update(group_format=group_format)
    dn = "cn=Platform-SRE+ou=Cluster-Admins,ou=groups,dc=insurer,dc=example"
    member = "uid=dev,ou=people,dc=insurer,dc=example"
    with directory.with_entry(dn, {"objectClass": ["groupOfNames"], "ou": ["Cluster-Admins"], "member": [member]}):
        request = ask(dev, environment="dev", developer_groups=[dn.lower()])
    assert request.values["developer_groups"] == [dn]
    names = {m["subject"]["name"] for m in KIND.state(request)["members"]}
    assert names == {name, "dev"}
    assert name in [row["as_subject"] for row in member_rows(Project.objects.get())]


def test_check__groups_clusters_cannot_tell_apart_or_look_alikes__said_at_the_field(dev, directory):
    member = "uid=dev,ou=people,dc=insurer,dc=example"
    place = "ou=elsewhere,ou=groups,dc=insurer,dc=example"
    group = {"objectClass": ["groupOfNames"], "member": [member]}
    with (
        directory.with_entry(place, {"objectClass": ["organizationalUnit"]}),
        directory.with_entry(f"cn=Claims-Team,{place}", group),
        directory.with_entry(f"ou=nameless,{place}", group | {"cn": ["other"], "ou": ["nameless"]}),
        pytest.raises(Invalid) as refused,
    ):
        ask(dev, developer_groups=[TEAM, TEAM.replace("claims", "ｃlaims"), f"ou=nameless,{place}"])
    fields = refused.value.fields
    assert "same cn" in fields["/developer_groups/0"]
    assert "not in the directory" in fields["/developer_groups/1"]
    assert "not named by its cn" in fields["/developer_groups/2"]


def test_members__named_twice__stronger_role_once(dev, directory):
    who = {"developers": ["OWNER", "owner"], "viewers": ["Owner", "auditor", "dev"]}
    same_group_twice = [TEAM, TEAM.replace(",", ", ").upper()]
    request = ask(dev, **who, developer_groups=same_group_twice)
    assert members_of(request) == [
        (f"group:{TEAM}", "developer"),
        ("user:auditor", "viewer"),
        ("user:dev", "developer"),
        ("user:owner", "developer"),
    ]


def test_check__directory_down__people_the_portal_knows_are_taken(dev, directory):
    a_user("known")
    with directory.down():
        assert ask(dev, viewers=["Known"]).values["viewers"] == ["known"]
        with pytest.raises(Invalid) as refused:
            ask(dev, viewers=["unknown"])
    assert refused.value.fields == {"/viewers/0": "unknown is not in the directory."}


def test_check__many_faults__all_at_once(dev, directory):
    with pytest.raises(Invalid) as refused:
        ask(dev, name="kube-", cpu="1m", memory="x", developers=["nobody-at-all"])
    assert set(refused.value.fields) == {"/name", "/environments/0/cpu", "/environments/0/memory", "/developers/0"}
    with pytest.raises(Invalid) as refused:
        ask(dev, tenant="motor", cpu="1m", memory="x", developers=["nobody-at-all"])
    assert set(refused.value.fields) == {"/tenant", "/environments/0/cpu", "/environments/0/memory", "/developers/0"}


@pytest.mark.parametrize("code", ["kube", "openshift", "portal", "default1"])
def test_check__name_of_the_platforms__reserved(dev, code):
    a_tenant(code, dev="developer")
    with pytest.raises(Invalid) as refused:
        ask(dev, tenant=code)
    assert "reserved" in refused.value.fields["/name"]


def test_submit__may_ask_for_nothing__is_told_so_instead_of_details(dev):
    with pytest.raises(Forbidden):
        ask(a_user("guest"), cpu="nonsense")


@pytest.mark.parametrize(
    ("changes", "asked", "pointer"),
    [
        ({"environments": ["dev"]}, {}, "/environments/0/cluster"),
        ({"is_active": False}, {}, "/environments/0/cluster"),
        ({"environments": ["dev"]}, {"cluster": "gitops"}, "/environments/0/cluster"),
    ],
)
def test_submit__no_place__field_is_named(dev, changes, asked, pointer):
    Cluster.objects.update(**changes)
    with pytest.raises(Invalid) as refused:
        ask(dev, **asked)
    assert list(refused.value.fields) == [pointer]


def test_decide__cluster_taken_out_of_use_meanwhile__refused_in_words(dev):
    request = ask(dev)
    Cluster.objects.update(is_active=False)
    said = {"number": request.number, "verdict": "approve", "note": "", "at": timezone.now()}
    with pytest.raises(NotPossibleNow) as refused:
        decide(**said, plan_digest=queries.newest_plan(request).digest, by=a_user("platform", "approver:platform"))
    assert "no longer takes this" in refused.value.sentence
    request.refresh_from_db()
    assert request.state == "submitted"


def test_submit__group_of_the_policy_not_set_up__said_and_nothing_written(dev):
    Policy.objects.filter(slug="otherwise").update(steps=[one_of("moon")])
    with pytest.raises(NoPolicy):
        ask(dev)
    assert not Request.objects.exists()


def unfinished(**changes: object) -> dict[str, object]:
    return {"tenant": "claims", "name": "a", "environments": [{"environment": "dev"}]} | changes


@pytest.mark.parametrize(
    ("values", "who", "names"),
    [
        (unfinished(), "dev", ["claims-a-dev"]),
        (unfinished(environments=[]), "dev", []),
        (unfinished(environments="dev"), "dev", []),
        (unfinished(environments=["dev", None, {"environment": ["dev"]}]), "dev", []),
        (unfinished(environments=[{"environment": "\0"}]), "dev", []),
        (unfinished(name=["a"]), "dev", []),
        (unfinished(tenant=["claims"]), "dev", []),
        (unfinished(), "stranger", []),
        (unfinished(), "guest", []),
        (unfinished(tenant="nobody"), "dev", []),
    ],
)
def test_preview__unfinished_or_not_ones_own__says_nothing(dev, values, who, names):
    assert [row["name"] for row in KIND.preview(values, a_user(who))["names"]] == names


@pytest.mark.parametrize(("used", "shown"), [("512m", 0.0), ("1536Mi", 1.5), ("nonsense", 0), (None, 0)])
def test_quota_bars__whatever_the_server_says__drawn(dev, used, shown):
    project = Project(bundle=a_bundle(), cpu_millicores=1500, memory_bytes=1024**3, storage_bytes=0, pods=1)
    if used is not None:
        usage = {"used": {"limits.memory": used}}
        project.bundle.objects_kept.create(kind="ResourceQuota", name="portal-quota", revision=1, usage=usage)
    cpu, memory, *_rest = quota_bars(project)
    assert (cpu["limit"], cpu["known"], memory["limit"]) == (1.5, False, 1)
    assert round(float(memory["used"]), 6) == shown
    assert memory["known"] == (used in ("512m", "1536Mi"))


@pytest.mark.django_db(transaction=True)
def test_submit__the_same_name_twice_at_once__one_project(dev):
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def run() -> None:
        start.wait()
        try:
            outcomes.append(ask(dev, name="same", environment="dev").state)
        except (TargetBusy, Invalid):
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["approved", "refused"]
    assert Project.objects.count() == Bundle.objects.count() == 1

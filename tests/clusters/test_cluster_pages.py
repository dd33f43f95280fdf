"""Pages and endpoints of clusters, and stating how much one has to give."""

from decimal import Decimal

import pytest
from django.utils import timezone

from audit.models import Event
from clusters.models import Capacity, Cluster
from clusters.services import register_cluster, state_capacity
from tests.builders import a_cluster, a_tenant, a_user
from tests.portal.walk import World, build
from web.errors import Forbidden, Invalid, NotFound

pytestmark = pytest.mark.django_db
GI = 1024**3
SECRETS = ("token", "address", "/fleet.git", "127.0.0.1")


@pytest.fixture
def world(gitops_cluster) -> World:
    return build()


def state(name: str = "gitops", source: str = "stated", who: str = "admin", **changes: object) -> Capacity:
    by = a_user(who, *["administrator"] if who == "admin" else [])
    return state_capacity(name=name, source=source, by=by, at=timezone.now(), **changes)


def test_state_capacity__by_hand__written_down_with_before_and_after(gitops_cluster):
    assert not Capacity.objects.exists()
    state(cpu_millicores=64_000, memory_bytes=256 * GI, storage_bytes=0, cpu_overcommit=Decimal("1.50"))
    kept = state(cpu_millicores=32_000, pods=500)
    assert (kept.source, kept.cpu_millicores, kept.memory_bytes, kept.storage_bytes, kept.pods) == (
        "stated",
        32_000,
        None,
        None,
        500,
    )
    assert kept.observed_at is not None and kept.problem is None
    first, second = Event.objects.filter(action="cluster.state-capacity").order_by("pk")
    assert first.before is None and first.after["cpu_overcommit"] == "1.50"
    assert (second.before["cpu_millicores"], second.after["cpu_millicores"]) == (64_000, 32_000)


def test_state_capacity__from_nodes__read_at_once_and_figures_stay_until_then():
    a_cluster("real")
    state("real", cpu_millicores=64_000, pods=10)
    at = timezone.now()
    kept = state("real", "nodes", storage_bytes=10 * GI, memory_overcommit=Decimal(2))
    kept.refresh_from_db()
    assert at <= kept.due_at <= timezone.now() and (kept.lane, kept.generation) == ("real", 2)
    assert (kept.cpu_millicores, kept.pods, kept.storage_bytes, kept.observed_at) == (64_000, 10, 10 * GI, None)


def test_state_capacity__a_worker_reads_the_nodes_just_now__keeps_its_lease():
    a_cluster("real")
    kept = state("real", "nodes")
    owner = "11111111-2222-3333-4444-555555555555"
    Capacity.objects.filter(pk=kept.pk).update(lease_owner=owner, lease_until=timezone.now())
    state("real", cpu_millicores=1000)
    kept.refresh_from_db()
    assert (str(kept.lease_owner), kept.source, kept.generation) == (owner, "stated", 2)


@pytest.mark.parametrize(
    ("source", "changes", "pointer"),
    [
        ("nodes", {}, "/source"),
        ("guessed", {}, "/source"),
        ("stated", {"cpu_millicores": -1}, "/cpu_millicores"),
        ("stated", {"cpu_millicores": 2**62}, "/cpu_millicores"),
        ("stated", {"memory_bytes": 2**63}, "/memory_bytes"),
        ("stated", {"storage_bytes": 10**30}, "/storage_bytes"),
        ("stated", {"pods": 1_000_001}, "/pods"),
        ("stated", {"cpu_overcommit": Decimal("0.09")}, "/cpu_overcommit"),
        ("stated", {"cpu_overcommit": Decimal("20.01")}, "/cpu_overcommit"),
        ("stated", {"cpu_overcommit": Decimal("1.005")}, "/cpu_overcommit"),
        ("stated", {"memory_overcommit": Decimal("NaN")}, "/memory_overcommit"),
        ("stated", {"memory_overcommit": Decimal("-Infinity")}, "/memory_overcommit"),
    ],
)
def test_state_capacity__what_cannot_be__refused_at_its_field(gitops_cluster, source, changes, pointer):
    with pytest.raises(Invalid) as refused:
        state(source=source, **changes)
    assert list(refused.value.fields) == [pointer]
    assert not Capacity.objects.exists()


def test_state_capacity__figures_that_nodes_say__refused():
    a_cluster("real")
    with pytest.raises(Invalid) as refused:
        state("real", "nodes", cpu_millicores=1, pods=1)
    assert set(refused.value.fields) == {"/cpu_millicores", "/pods"}


def test_state_capacity__wrong_role_or_no_such_cluster__refused(gitops_cluster):
    for who in ("dev", "auditor"):
        with pytest.raises(Forbidden):
            state(who=who)
    with pytest.raises(NotFound):
        state("elsewhere")
    Cluster.objects.update(is_active=False)
    with pytest.raises(NotFound):
        state()


def registered(driver: str) -> Cluster:
    fields = {"flavour": "kubernetes", "address": "https://127.0.0.1:1", "environments": ["dev"], "token": ""}
    return register_cluster(name="new", driver=driver, by=None, at=timezone.now(), **fields)


def test_register_cluster__nodes_can_be_read__due_at_once_and_not_touched_again():
    capacity = registered("kubernetes").capacity
    assert capacity.source == "nodes" and capacity.due_at is not None and capacity.lane == "new"
    state("new", cpu_millicores=5)
    registered("kubernetes")
    assert Capacity.objects.get().cpu_millicores == 5


def test_register_cluster__git__nothing_is_known_until_somebody_states_it():
    registered("gitops")
    assert not Capacity.objects.exists()


def page(client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.content[:500]
    return response.content.decode()


def test_listing__capacity_known_and_not__promised_held_and_left(world):
    a_cluster("quiet", driver="gitops", description="Nothing is known of it")
    state(cpu_millicores=8000, pods=10, cpu_overcommit=Decimal(2))
    shown = page(world.person("stranger"), "/clusters")
    # Asked for by another tenant: amounts are for all, names are not.
    assert "held by other open requests 4 cores, limit 16 cores" in shown
    assert "over the limit" in shown
    for text in ("Stated by hand", "Overcommit: CPU × 2", "Not known: Memory, Storage.", "Nobody has stated"):
        assert text in shown, text
    assert "claims" not in shown and "/capacity" not in shown


def test_listing__nodes_that_cannot_be_read__said_in_words(world):
    capacity = state("gitops", cpu_millicores=1000)
    problem = {"text": "None of %(nodes)d compute nodes is ready.", "parameters": {"nodes": 3}}
    Capacity.objects.filter(pk=capacity.pk).update(source="nodes", nodes=2, problem=problem)
    shown = page(world.person("dev"), "/clusters")
    assert "None of 3 compute nodes is ready." in shown and "From 2 compute nodes" in shown


@pytest.mark.parametrize(("who", "is_shown"), [("dev", True), ("stranger", False), ("auditor", True), ("admin", True)])
def test_listing__dedicated_to_a_tenant__for_its_members_and_who_sees_all(world, who, is_shown):
    a_cluster("own", dedicated_to=a_tenant("claims"))
    shown = page(world.person(who), "/clusters")
    assert ("Only claims" in shown) is is_shown
    told = world.program(who).get("/api/v1/clusters").json()["items"]
    assert ([row["dedicated_to"] for row in told if row["name"] == "own"] == ["claims"]) is is_shown
    assert world.program(who).get("/api/v1/clusters/own").status_code == (200 if is_shown else 404)


def test_rest__clusters__never_addresses_or_credentials(world):
    state(cpu_millicores=8000)
    text = world.program("admin").get("/api/v1/clusters").content.decode()
    assert not [secret for secret in SECRETS if secret in text]
    (row,) = world.program("dev").get("/api/v1/clusters").json()["items"]
    assert row["promised"]["cpu"] == {"limit": 8000, "settled": 0, "held": 4000, "left": 4000}
    assert (row["capacity"]["source"], row["capacity"]["cpu_overcommit"]) == ("stated", "1.00")


BODY = {"source": "stated", "cpu_millicores": 64_000, "cpu_overcommit": "1.5", "memory_overcommit": 1}


def put(world: World, body: object, who: str = "admin", name: str = "gitops", tag: str = "*"):
    client = world.program(who)
    client.raise_request_exception = False
    address = f"/api/v1/clusters/{name}/capacity"
    return client.put(address, body, content_type="application/json", headers={"If-Match": tag})


def test_rest__state_capacity__as_administrator_alone(world):
    for who in ("dev", "owner", "auditor", "platform"):
        assert put(world, BODY, who).status_code == 403
    assert put(world, BODY, name="elsewhere").status_code == 404
    told = put(world, BODY)
    assert told.status_code == 200 and told.json()["cpu_millicores"] == 64_000
    shown = world.program("dev").get("/api/v1/clusters/gitops").json()
    assert shown["promised"]["cpu"]["limit"] == 96_000 and shown["capacity"] == told.json()
    token = world.token("admin", "read")
    assert token.put("/api/v1/clusters/gitops/capacity", BODY, content_type="application/json").status_code == 403


def test_rest__capacity__never_stated__nothing_known_and_a_tag_to_state_it(world):
    Capacity.objects.all().delete()
    seen = world.program("dev").get("/api/v1/clusters/gitops/capacity")
    assert (seen.json()["source"], seen.json()["cpu_millicores"]) == ("stated", None)
    assert put(world, BODY, tag=seen["ETag"]).status_code == 200


def test_rest__capacity__stated_by_somebody_else__412_and_it_stays(world):
    seen = world.program("admin").get("/api/v1/clusters/gitops/capacity")["ETag"]
    told = put(world, BODY, tag=seen)
    assert told["ETag"] == world.program("dev").get("/api/v1/clusters/gitops/capacity")["ETag"] != seen
    again = put(world, BODY | {"cpu_millicores": 1000}, tag=seen)
    assert (again.status_code, again["ETag"]) == (412, told["ETag"])
    assert Capacity.objects.get(cluster__name="gitops").cpu_millicores == 64_000
    body, client = BODY | {"cpu_millicores": 1000}, world.program("admin")
    assert client.put("/api/v1/clusters/gitops/capacity", body, content_type="application/json").status_code == 428


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("cpu_millicores", value) for value in ("1_000", "٣", 1.5, True, -1, 2**63, "1e9999", "NaN", [1], {}, "64")],
        *[("pods", value) for value in (10**30, "x", False)],
        *[("cpu_overcommit", value) for value in ("NaN", "1e3", "-1", "1.5.5", "٣", None, True, 0, 21, "1.005", "1_0")],
        ("source", "guess"),
        ("source", None),
    ],
    ids=ascii,
)
def test_rest__hostile_capacity__422_and_nothing_written(world, field, value):
    response = put(world, BODY | {field: value})
    assert response.status_code == 422, response.content
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{field}"]
    assert not Capacity.objects.exists()


FORM = {"source": "stated", "cpu": "64", "memory": "512Gi", "storage": "", "pods": "", "cpu_overcommit": "1.5"}
FORM |= {"memory_overcommit": "1"}


def test_form__as_administrator__filled_in_stated_and_seen(world):
    admin = world.person("admin")
    assert 'name="cpu_overcommit"' in page(admin, "/clusters/gitops/capacity")
    response = admin.post("/clusters/gitops/capacity", FORM)
    assert (response.status_code, response.url) == (302, "/clusters")
    shown = page(admin, "/clusters")
    assert "limit 96 cores" in shown and "limit 512 Gi" in shown
    shown = page(admin, "/clusters/gitops/capacity")
    assert 'value="64"' in shown and 'value="1.5"' in shown and "4 cores" in shown


def test_form__source_changed_to_nodes__figures_of_the_form_are_not_stated(world):
    a_cluster("real")
    assert world.person("admin").post("/clusters/real/capacity", FORM | {"source": "nodes"}).status_code == 302
    assert Capacity.objects.get(cluster__name="real").cpu_millicores is None


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *[(name, text) for name in ("cpu", "memory") for text in ("1e9999", "NaN", "-1", "1.5.5", "1_000", "٣", "\0")],
        *[("pods", text) for text in ("-1", "x", "1.5", "٣", "9" * 12)],
        *[("cpu_overcommit", text) for text in ("", "0", "0.09", "21", "NaN", "1e1", "٣", "1.005", "-1")],
        ("source", "nodes"),
        ("source", ""),
    ],
    ids=ascii,
)
def test_form__hostile_entries__shown_again_with_the_field_marked(world, field, text):
    client = world.person("admin")
    client.raise_request_exception = False
    response = client.post("/clusters/gitops/capacity", FORM | {field: text})
    assert response.status_code == 422
    assert f'id="id_{field}-error"' in response.content.decode()
    assert not Capacity.objects.exists()


@pytest.mark.parametrize("who", ["dev", "owner", "auditor", "platform"])
def test_form__wrong_role__refused(world, who):
    assert world.person(who).get("/clusters/gitops/capacity").status_code == 403
    assert world.person(who).post("/clusters/gitops/capacity", FORM).status_code == 403
    assert not Capacity.objects.exists()

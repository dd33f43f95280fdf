"""Which cluster a project goes to, and what is said about it."""

import pytest
from django.utils import timezone

from clusters.models import Capacity, Cluster
from tenants import ledger
from tenants.ledger import Need
from tenants.placement import place
from tenants.places import choose
from tenants.standing import Standing
from tests.builders import a_cluster, a_tenant, a_user
from workflow.models import Request

GI = 1024**3
NEED = {"cpu": 2000, "memory": 4 * GI, "storage": 0, "pods": 20}


def offer(name, cpu=None, memory=None, promised=0):
    """A cluster with a limit of cpu and memory; all that is promised is cpu."""
    standings = {resource: Standing(None) for resource in ("cpu", "memory", "storage", "pods")}
    standings["cpu"] = Standing(cpu, settled=promised)
    standings["memory"] = Standing(memory)
    return Cluster(name=name), standings


def placed(*offers, need=NEED, wanted="", isolation="shared"):
    return place(offers, need, wanted, isolation)


def test_place__several_fit__largest_share_left():
    """Not the largest amount: big has 8 of 100 cores left afterwards, small 6 of 8."""
    answer = placed(offer("big", 100_000, promised=90_000), offer("small", 8000))
    assert answer.chosen.name == "small"
    assert str(answer.why) == "small has the most room left of 2 clusters that fit."
    assert [(c.cluster.name, c.share) for c in answer.candidates] == [("small", 0.75), ("big", 0.08)]


def test_place__share__is_that_of_the_scarcest_resource():
    answer = placed(offer("a", 100_000, 5 * GI), offer("b", 4000, 100 * GI))
    assert [(c.cluster.name, c.share) for c in answer.candidates] == [("b", 0.5), ("a", 0.2)]


def test_place__equal_shares__by_name():
    assert placed(offer("b", 8000), offer("c", 8000), offer("a", 8000)).chosen.name == "a"


def test_place__one_is_full__the_other_and_the_reason():
    answer = placed(offer("full", 3000, promised=1500), offer("other", 8000))
    assert answer.chosen.name == "other"
    assert str(answer.why) == "other is the only cluster that fits."
    full = answer.candidates[1]
    assert not full.fits
    assert full.left["cpu"] == 1500
    assert str(full.reason) == "CPU: the cluster full has 1500m left, and 2 is needed."


def test_place__exactly_what_is_left__fits():
    assert placed(offer("a", 2000, 4 * GI)).candidates[0].share == 0


def test_place__unknown_capacity__fits_but_after_what_is_known():
    answer = placed(offer("a-unknown"), offer("tight", 2001))
    assert answer.chosen.name == "tight"
    assert [(c.cluster.name, c.fits) for c in answer.candidates] == [("tight", True), ("a-unknown", True)]


def test_place__none_is_known__first_by_name_and_said_so():
    answer = placed(offer("b"), offer("a"))
    assert answer.chosen.name == "a"
    assert str(answer.why) == "How much room there is in the 2 clusters that may take this is not known."


def test_place__overcommitted_meanwhile__nothing_left_and_no_negative_amount():
    answer = placed(offer("shrunk", 1000, promised=5000))
    assert answer.chosen is None
    assert answer.candidates[0].left["cpu"] == -4000
    assert str(answer.why) == "CPU: the cluster shrunk has 0 left, and 2 is needed."


def test_place__what_is_not_needed__may_be_used_up():
    answer = placed(offer("a", 1000, promised=5000), need={"cpu": 0, "memory": GI, "storage": 0, "pods": 1})
    assert answer.chosen.name == "a"


def test_place__none_fits__none_and_why():
    answer = placed(offer("a", 1000), offer("b", 1000))
    assert answer.chosen is None
    assert str(answer.why) == "None of 2 clusters has room for this."


@pytest.mark.parametrize(
    ("isolation", "why"),
    [
        ("shared", "No cluster offers this environment."),
        ("dedicated", "No cluster of this environment is dedicated to the tenant."),
    ],
)
def test_place__no_clusters__none_and_why(isolation, why):
    answer = placed(isolation=isolation)
    assert (answer.chosen, str(answer.why), answer.candidates) == (None, why, [])


def test_place__wanted_fits__it_wins_over_the_best():
    answer = placed(offer("best", 100_000), offer("mine", 3000), wanted="mine")
    assert answer.chosen.name == "mine"
    assert str(answer.why) == "mine fits."


def test_place__wanted_is_full__no_other_in_its_place():
    answer = placed(offer("best", 100_000), offer("mine", 1000), wanted="mine")
    assert answer.chosen is None
    assert str(answer.why) == "CPU: the cluster mine has 1 left, and 2 is needed."
    assert answer.candidates[0].cluster.name == "best"


def test_place__wanted_is_not_offered__none():
    answer = placed(offer("best", 100_000), wanted="secret")
    assert (answer.chosen, str(answer.why)) == (None, "The cluster secret does not take this.")


@pytest.fixture
def fleet(db):
    """Clusters of two tenants and of nobody."""
    mine, theirs = a_tenant("claims"), a_tenant("motor")
    a_cluster("shared-dev", environments=["dev"])
    a_cluster("shared-prod", environments=["prod"])
    a_cluster("off", environments=["dev"], is_active=False)
    a_cluster("mine", environments=["dev"], dedicated_to=mine)
    a_cluster("theirs", environments=["dev", "prod"], dedicated_to=theirs)
    return mine


@pytest.mark.parametrize(
    ("environment", "isolation", "names"),
    [
        ("dev", "shared", ["shared-dev"]),
        ("dev", "dedicated", ["mine"]),
        ("prod", "shared", ["shared-prod"]),
        ("prod", "dedicated", []),
        ("test", "shared", []),
    ],
)
def test_choose__environment_and_isolation__only_what_the_tenant_may_have(fleet, environment, isolation, names):
    answer = choose(environment, isolation, fleet, NEED)
    assert [candidate.cluster.name for candidate in answer.candidates] == names
    assert (answer.chosen.name if answer.chosen else None) == (names[0] if names else None)


@pytest.mark.parametrize("wanted", ["theirs", "off", "shared-prod", "nowhere"])
def test_choose__wanted_is_not_for_this__the_same_answer_for_all(fleet, wanted):
    answer = choose("dev", "shared", fleet, NEED, wanted)
    assert (answer.chosen, str(answer.why)) == (None, f"The cluster {wanted} does not take this.")


def test_choose__isolation_nobody_knows__error(fleet):
    with pytest.raises(ValueError, match="anything"):
        choose("dev", "anything", fleet, NEED)


def test_choose__capacity_and_claims__what_is_left_after_overcommit(fleet, django_assert_num_queries):
    cluster = Cluster.objects.get(name="shared-dev")
    Capacity.objects.create(cluster=cluster, source="stated", cpu_millicores=4000, cpu_overcommit=2, pods=100)
    request = Request.objects.create(
        kind="new-project",
        state="submitted",
        tenant=fleet,
        title="t",
        values={},
        target="namespace:t",
        asker=a_user("dev"),
        wish_digest="d",
        submitted_at=timezone.now(),
    )
    ledger.hold(request, [Need(fleet, cluster, {"cpu": 5000, "pods": 10})])
    with django_assert_num_queries(2):
        answer = choose("dev", "shared", fleet, NEED)
    assert answer.candidates[0].left == {"cpu": 3000, "memory": None, "storage": None, "pods": 90}
    assert answer.candidates[0].share == 0.125
    assert choose("dev", "shared", fleet, NEED | {"cpu": 3001}).chosen is None
    # What the request holds itself is not in its own way.
    assert choose("dev", "shared", fleet, NEED | {"cpu": 8000}, without=request).chosen == cluster


def test_choose__many_clusters__as_many_queries(fleet, django_assert_num_queries):
    for number in range(20):
        cluster = a_cluster(f"more-{number}", environments=["dev"])
        Capacity.objects.create(cluster=cluster, source="stated", cpu_millicores=4000 + number)
    with django_assert_num_queries(2):
        answer = choose("dev", "shared", fleet, NEED)
    assert answer.chosen.name == "more-19"
    assert len(answer.candidates) == 21

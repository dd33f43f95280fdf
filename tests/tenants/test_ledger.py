"""The ledger: what counts, what is refused, and that no race makes it promise more than there is."""

import itertools
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone, translation

from audit.models import Event
from clusters.models import Bundle, Capacity
from tenants import ledger
from tenants.ledger import BelowPromised, Need, NotEnough
from tenants.models import Claim, TenantBudget
from tenants.rules import RESOURCES
from tenants.standing import Standing, readable
from tests.builders import a_bundle, a_cluster, a_tenant, a_user
from workflow.models import Request

GI = 1024**3
THREADS = 32
_numbers = itertools.count(1)


def a_request(**fields):
    number = next(_numbers)
    defaults = {
        "kind": "new-project",
        "state": "submitted",
        "title": f"request {number}",
        "values": {},
        "target": f"namespace:{number}",
        "wish_digest": "0",
        "submitted_at": timezone.now(),
    }
    if "asker" not in fields:
        fields["asker"] = a_user("dev")
    return Request.objects.create(**defaults | fields)


def a_place(name="demo", **capacity):
    cluster = a_cluster(name)
    Capacity.objects.create(cluster=cluster, source="stated", **capacity)
    return cluster


def budget(tenant, **amounts):
    for resource, amount in amounts.items():
        TenantBudget.objects.create(tenant=tenant, resource=resource, amount=amount)


def observe(bundle, number):
    Bundle.objects.filter(pk=bundle.pk).update(observed_generation=number)


def desire(bundle, number):
    Bundle.objects.filter(pk=bundle.pk).update(generation=number)
    return number


def cpu(tenant):
    """(settled, held) of the tenant's cpu."""
    standing = ledger.pools_of_tenant(tenant)["cpu"]
    return standing.settled, standing.held


@pytest.fixture
def tenant(db):
    return a_tenant("claims")


@pytest.fixture
def cluster(db):
    return a_cluster()


def held(tenant, cluster, **amounts):
    """A request that holds this."""
    request = a_request(tenant=tenant)
    ledger.hold(request, [Need(tenant, cluster, amounts)])
    return request


def granted(tenant, cluster, **amounts):
    """A bundle that was granted this by revision 1, not yet observed."""
    bundle = a_bundle(tenant=tenant, cluster=cluster)
    ledger.grant(held(tenant, cluster, **amounts), bundle, desire(bundle, 1))
    return bundle


# What counts


def test_pools__nothing_known__no_limit_nothing_promised(tenant, cluster):
    expected = dict.fromkeys(RESOURCES, Standing(None))
    assert ledger.pools_of_tenant(tenant) == ledger.pools_of_cluster(cluster) == expected
    assert expected["cpu"].left is None


def test_pools__budget_capacity_and_claims__limit_held_left(tenant):
    place = a_place(cpu_millicores=10_000, memory_bytes=10 * GI, memory_overcommit="1.5", pods=100)
    budget(tenant, cpu=8000)
    held(tenant, place, cpu=3000, memory=GI, storage=0, pods=5)
    assert ledger.pools_of_tenant(tenant) == {
        "cpu": Standing(8000, 0, 3000),
        "memory": Standing(None, 0, GI),
        "storage": Standing(None),
        "pods": Standing(None, 0, 5),
    }
    ours = ledger.pools_of_cluster(place)
    assert ours["memory"] == Standing(15 * GI, 0, GI)
    assert ours["memory"].left == 14 * GI
    assert ours["storage"] == Standing(None)
    assert Claim.objects.count() == 3


def test_pools__from_hold_to_observed__held_then_settled(tenant, cluster):
    request, bundle = held(tenant, cluster, cpu=3000), a_bundle(tenant=tenant, cluster=cluster)
    assert cpu(tenant) == (0, 3000)
    ledger.grant(request, bundle, desire(bundle, 1))
    assert cpu(tenant) == (0, 3000)
    observe(bundle, 1)
    assert cpu(tenant) == (3000, 0)


def test_pools__sent_back_request__still_held(tenant, cluster):
    request = held(tenant, cluster, cpu=3000)
    Request.objects.filter(pk=request.pk).update(state="changes_requested")
    assert cpu(tenant) == (0, 3000)


def test_release__of_a_request__its_own_unbound_claims_only(tenant, cluster):
    bundle = granted(tenant, cluster, cpu=1000)
    first, second = held(tenant, cluster, cpu=200), held(tenant, cluster, cpu=30)
    ledger.release(first)
    assert cpu(tenant) == (0, 1030)
    ledger.release(Claim.objects.get(bundle=bundle).request)
    assert cpu(tenant) == (0, 1030)
    ledger.release(second)
    assert cpu(tenant) == (0, 1000)


def test_pools__without_a_request__its_claims_left_out(tenant, cluster):
    granted(tenant, cluster, cpu=1000)
    request = held(tenant, cluster, cpu=200)
    assert ledger.pools_of_tenant(tenant, without=request)["cpu"].promised == 1000
    assert ledger.pools_of_cluster(cluster, without=request)["cpu"].promised == 1000
    assert ledger.pools_of_cluster(cluster, without=Request())["cpu"].promised == 1200


def test_lower__until_observed__old_sum_then_new(tenant, cluster):
    bundle = granted(tenant, cluster, cpu=3000, memory=8 * GI)
    observe(bundle, 1)
    ledger.lower(bundle, desire(bundle, 2), {"cpu": 1000})
    assert cpu(tenant) == (3000, 0)
    observe(bundle, 2)
    assert cpu(tenant) == (1000, 0)
    assert ledger.pools_of_tenant(tenant)["memory"].settled == 8 * GI
    assert ledger.lasting(bundle) == {"cpu": 1000, "memory": 8 * GI, "storage": 0, "pods": 0}


def test_lower__before_an_earlier_raise_is_observed__both_count_until_then(tenant, cluster):
    bundle = granted(tenant, cluster, cpu=3000)
    observe(bundle, 1)
    ledger.change(held(tenant, cluster, cpu=2000), bundle, desire(bundle, 2), {"cpu": 5000})
    assert cpu(tenant) == (3000, 2000)
    ledger.lower(bundle, desire(bundle, 3), {"cpu": 2500})
    assert cpu(tenant) == (3000, 2000)
    observe(bundle, 3)
    assert cpu(tenant) == (2500, 0)


def test_lower__to_nothing_or_to_the_same__rows_end_or_stay(tenant, cluster):
    bundle = granted(tenant, cluster, cpu=3000, storage=GI)
    ledger.lower(bundle, desire(bundle, 2), {"cpu": 3000, "storage": 0, "pods": 0})
    assert Claim.objects.count() == 2
    observe(bundle, 2)
    assert cpu(tenant) == (3000, 0)
    assert ledger.pools_of_tenant(tenant)["storage"].promised == 0


def test_lower__to_more_than_it_has__error(tenant, cluster):
    with pytest.raises(ValueError, match="cpu"):
        ledger.lower(granted(tenant, cluster, cpu=1000), 2, {"cpu": 1001})


def test_change__one_rises_and_another_falls__both_as_approved(tenant, cluster):
    bundle = granted(tenant, cluster, cpu=3000, memory=8 * GI, pods=10)
    observe(bundle, 1)
    to = {"cpu": 4000, "memory": 2 * GI, "storage": GI, "pods": 10}
    assert ledger.rises(bundle, to) == {"cpu": 1000, "storage": GI}
    request = held(tenant, cluster, **ledger.rises(bundle, to))
    ledger.change(request, bundle, desire(bundle, 2), to)
    pools = ledger.pools_of_cluster(cluster)
    assert (pools["cpu"], pools["memory"]) == (Standing(None, 3000, 1000), Standing(None, 8 * GI, 0))
    observe(bundle, 2)
    assert {resource: pool.settled for resource, pool in ledger.pools_of_cluster(cluster).items()} == to
    assert ledger.lasting(bundle) == to


def test_change__more_than_was_held__error(tenant, cluster):
    bundle = granted(tenant, cluster, cpu=3000)
    with pytest.raises(ValueError, match="cpu"):
        ledger.change(held(tenant, cluster, cpu=500), bundle, 2, {"cpu": 4000})


def test_give_back__until_observed__counts_then_is_over(tenant, cluster):
    bundle = granted(tenant, cluster, cpu=3000)
    observe(bundle, 1)
    ledger.lower(bundle, desire(bundle, 2), {"cpu": 1000})
    ledger.give_back(bundle, desire(bundle, 3))
    assert cpu(tenant) == (3000, 0)
    observe(bundle, 2)
    assert cpu(tenant) == (1000, 0)
    observe(bundle, 3)
    assert cpu(tenant) == (0, 0)


# Holding


def test_hold__again__what_was_held_before_is_replaced(tenant, cluster):
    budget(tenant, cpu=3000)
    request = held(tenant, cluster, cpu=2000, pods=5)
    ledger.hold(request, [Need(tenant, cluster, {"cpu": 3000})])
    assert cpu(tenant) == (0, 3000)
    assert Claim.objects.count() == 1


def test_hold__again_and_refused__what_was_held_before_stays(tenant, cluster):
    budget(tenant, cpu=3000)
    request = held(tenant, cluster, cpu=2000)
    with pytest.raises(NotEnough):
        ledger.hold(request, [Need(tenant, cluster, {"cpu": 3001})])
    assert cpu(tenant) == (0, 2000)


def test_hold__exactly_what_is_left__held(tenant):
    budget(tenant, cpu=3000)
    held(tenant, a_place(cpu_millicores=2000, cpu_overcommit="1.5"), cpu=3000)
    assert ledger.pools_of_tenant(tenant)["cpu"].left == 0


def test_hold__tenant_and_cluster_have_too_little__one_conflict_names_both(tenant):
    budget(tenant, cpu=8000, memory=16 * GI)
    place = a_place("ec1", cpu_millicores=4000, memory_bytes=32842416 * 1024, pods=10)
    held(tenant, place, cpu=1500, memory=GI)
    with pytest.raises(NotEnough) as error:
        held(tenant, place, cpu=7000, memory=40 * GI, pods=10)
    assert error.value.sentence == (
        "CPU: the budget of tenant claims has 6500m left, and 7 is needed. "
        "Memory: the budget of tenant claims has 15Gi left, and 40Gi is needed. "
        "CPU: the cluster ec1 has 2500m left, and 7 is needed. "
        "Memory: the cluster ec1 has 30.32Gi left, and 40Gi is needed."
    )
    assert (error.value.status, error.value.code) == (409, "not-enough")
    assert error.value.context["shortages"][2] == {
        "pool": "cluster",
        "name": "ec1",
        "resource": "cpu",
        "left": 2500,
        "needed": 7000,
    }
    assert cpu(tenant) == (0, 1500)


def test_hold__refused__in_the_readers_language_with_untouched_amounts(tenant, cluster):
    budget(tenant, pods=0)
    with translation.override("zh-hans"), pytest.raises(NotEnough, match="1"):
        held(tenant, cluster, pods=1)


def test_hold__several_needs_in_one_pool__their_sum_counts(tenant):
    budget(tenant, cpu=5000)
    first, second = a_place("first", cpu_millicores=3000), a_place("second", cpu_millicores=3000)
    request = a_request(tenant=tenant)
    ledger.hold(request, [Need(tenant, first, {"cpu": 2000}), Need(tenant, second, {"cpu": 3000})])
    with pytest.raises(NotEnough) as error:
        ledger.hold(request, [Need(tenant, first, {"cpu": 2500}), Need(tenant, second, {"cpu": 2501})])
    assert error.value.context["shortages"] == [
        {"pool": "tenant", "name": "claims", "resource": "cpu", "left": 5000, "needed": 5001}
    ]


def test_hold__nothing__no_rows_though_the_pool_is_overdrawn(tenant):
    place = a_place(cpu_millicores=1000)
    held(tenant, place, cpu=1000)
    Capacity.objects.update(cpu_millicores=500)
    held(tenant, place, cpu=0, pods=1)
    assert Claim.objects.count() == 2
    with pytest.raises(NotEnough, match="has 0 left, and 1m is needed"):
        held(tenant, place, cpu=1)


@pytest.mark.parametrize("amounts", [{"cpu": -1}, {"gpu": 1}])
def test_hold__what_cannot_be_promised__error(tenant, cluster, amounts):
    with pytest.raises(ValueError, match="of"):
        held(tenant, cluster, **amounts)


def test_hold__many_needs__as_many_queries_as_for_one(db, django_assert_num_queries):
    tenants = [a_tenant(f"tenant{number}") for number in range(10)]
    places = [a_place(f"place{number}", cpu_millicores=10**9, memory_bytes=10**15) for number in range(10)]
    for one in tenants:
        budget(one, cpu=10**9)
    needs = [Need(one, place, {"cpu": 1000, "memory": GI}) for one in tenants for place in places] * 3
    for many in (needs[:1], needs):
        request = a_request(tenant=tenants[0])
        # Two locks, two limits, one for all sums, the rows.
        with django_assert_num_queries(6):
            ledger.hold(request, many)
    assert ledger.pools_of_tenant(tenants[1])["cpu"].held == 30 * 1000


def test_lacks__before_anything_is_held__the_same_shortages(tenant, cluster):
    budget(tenant, cpu=1000)
    (shortage,) = ledger.lacks([Need(tenant, cluster, {"cpu": 1500, "memory": GI})])
    assert (shortage.pool, shortage.resource, shortage.left, shortage.needed) == ("tenant", "cpu", 1000, 1500)
    assert ledger.lacks([Need(tenant, cluster, {"cpu": 1000})]) == []


def test_grant_many__a_batch__a_claim_for_each_bundle_in_few_queries(tenant, cluster, django_assert_num_queries):
    bundles = [a_bundle(tenant=tenant, cluster=cluster) for _number in range(300)]
    request = a_request(tenant=tenant)
    amounts = {"cpu": 1000, "memory": GI, "storage": 0, "pods": 10}
    with django_assert_num_queries(6):
        ledger.hold(request, [Need(tenant, cluster, amounts)] * 300)
    assert Claim.objects.count() == 3
    with django_assert_num_queries(3):
        ledger.grant_many(request, [(bundle, 1, amounts) for bundle in bundles])
    assert Claim.objects.count() == 900
    assert cpu(tenant) == (0, 300_000)
    Bundle.objects.filter(pk__in=[bundle.pk for bundle in bundles[:100]]).update(generation=1, observed_generation=1)
    assert cpu(tenant) == (100_000, 200_000)


def test_grant_many__less_than_was_held__the_rest_is_given_back(tenant, cluster):
    request = held(tenant, cluster, cpu=3000)
    ledger.grant_many(request, [(a_bundle(tenant=tenant, cluster=cluster), 1, {"cpu": 1000})])
    assert cpu(tenant) == (0, 1000)


def test_grant_many__more_than_was_held_or_elsewhere__error(tenant, cluster):
    request = held(tenant, cluster, cpu=3000)
    elsewhere = a_bundle(tenant=tenant, cluster=a_cluster("elsewhere"))
    for bundle, amount in ((a_bundle(tenant=tenant, cluster=cluster), 3001), (elsewhere, 1)):
        with pytest.raises(ValueError, match="held"):
            ledger.grant_many(request, [(bundle, 1, {"cpu": amount})])
    assert cpu(tenant) == (0, 3000)


def test_standings__of_many__two_queries(db, django_assert_num_queries):
    tenants = [a_tenant(f"tenant{number}") for number in range(12)]
    places = [a_place(f"place{number}", pods=10) for number in range(12)]
    for one, place in zip(tenants, places, strict=True):
        held(one, place, pods=3)
    with django_assert_num_queries(2):
        of_tenants = ledger.standings_of_tenants(tenants)
    with django_assert_num_queries(2):
        of_clusters = ledger.standings_of_clusters(places)
    assert {pools["pods"] for pools in of_tenants.values()} == {Standing(None, 0, 3)}
    assert {pools["pods"] for pools in of_clusters.values()} == {Standing(10, 0, 3)}


# Budgets


def test_set_budget__some_resources__others_stay_and_an_event_says_so(tenant):
    someone = a_user("boss")
    ledger.set_budget(tenant=tenant, amounts={"cpu": 8000, "pods": 10}, by=someone, at=timezone.now())
    ledger.set_budget(tenant=tenant, amounts={"cpu": None, "memory": GI}, by=someone, at=timezone.now())
    assert ledger.budget_of(tenant) == {"cpu": None, "memory": GI, "storage": None, "pods": 10}
    event = Event.objects.filter(action="tenant.set-budget").first()
    assert event.before == {"cpu": 8000, "memory": None, "storage": None, "pods": 10}
    assert event.after == ledger.budget_of(tenant)
    assert (event.actor, event.subject, event.tenant) == ("boss", "tenant:claims", "claims")


def test_set_budget__below_what_is_promised__refused(tenant, cluster):
    granted(tenant, cluster, cpu=1000)
    held(tenant, cluster, cpu=1500)
    with pytest.raises(BelowPromised) as error:
        ledger.set_budget(tenant=tenant, amounts={"cpu": 2499, "pods": 0}, by=None, at=timezone.now())
    assert error.value.sentence == "CPU: 2500m is promised to claims already, which is more than 2499m."
    assert error.value.context == {"excesses": [{"resource": "cpu", "promised": 2500, "budget": 2499}]}
    assert ledger.budget_of(tenant)["pods"] is None
    ledger.set_budget(tenant=tenant, amounts={"cpu": 2500}, by=None, at=timezone.now())
    assert ledger.pools_of_tenant(tenant)["cpu"].left == 0


@pytest.mark.parametrize(
    ("resource", "amount", "text"),
    [
        ("cpu", 1500, "1500m"),
        ("cpu", 2000, "2"),
        ("pods", 20, "20"),
        ("memory", 0, "0"),
        ("memory", 8 * GI, "8Gi"),
        ("storage", 3 * 512 * 1024**2, "1536Mi"),
        ("memory", 4 * GI - 1, "3.99Gi"),
        ("memory", 100 * GI + 1, "100Gi"),
        ("storage", 2**63 - 1, "7.99Ei"),
    ],
)
def test_readable__amount__as_people_write_it(resource, amount, text):
    assert readable(resource, amount) == text


# A long walk beside a model that counts single units


class Model:
    """What the ledger should say: of each pool and resource a list of units, each [revision, until]."""

    def __init__(self):
        self.held = {}  # request pk -> {(tenant pk, cluster pk, resource): units}
        self.bundles = {}  # bundle -> {resource: [[revision, until], ...]}
        self.seen = {}  # bundle -> observed

    def standing(self, resource, tenant=None, cluster=None):
        """(settled, held) of a pool."""
        waiting = settled = 0
        for units in self.held.values():
            for (of_tenant, of_cluster, what), amount in units.items():
                if what == resource and (of_tenant == tenant or of_cluster == cluster):
                    waiting += amount
        for bundle, resources in self.bundles.items():
            if bundle.tenant_id != tenant and bundle.cluster_id != cluster:
                continue
            for revision, until in resources.get(resource, []):
                if until is not None and until <= self.seen[bundle]:
                    continue
                if revision > self.seen[bundle]:
                    waiting += 1
                else:
                    settled += 1
        return settled, waiting

    def lasting(self, bundle, resource):
        return [unit for unit in self.bundles[bundle].get(resource, []) if unit[1] is None]

    def grant(self, request, bundle, revision):
        for (_tenant, _cluster, resource), amount in self.held.pop(request.pk, {}).items():
            self.bundles[bundle].setdefault(resource, []).extend([revision, None] for _unit in range(amount))

    def lower(self, bundle, revision, to):
        for resource, amount in to.items():
            for unit in self.lasting(bundle, resource)[amount:]:
                unit[1] = revision


class Walk:
    """Random steps in the ledger and in the model at once."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.model = Model()
        self.tenants = [a_tenant(code) for code in ("claims", "motor", "life")]
        self.clusters = [
            a_place("first", cpu_millicores=60, pods=50),
            a_place("second", cpu_millicores=40),
            a_cluster(),
        ]
        budget(self.tenants[0], cpu=50, pods=30)
        budget(self.tenants[1], cpu=40)
        self.limits = {("t", self.tenants[0].pk): {"cpu": 50, "pods": 30}, ("t", self.tenants[1].pk): {"cpu": 40}}
        self.limits |= {("c", self.clusters[0].pk): {"cpu": 60, "pods": 50}, ("c", self.clusters[1].pk): {"cpu": 40}}
        self.open = []
        self.outcomes = {"held": 0, "refused": 0}

    def amounts(self):
        return {resource: self.random.randrange(8) for resource in ("cpu", "pods")}

    def fits(self, units, request):
        """Whether the model says that the request may hold these units."""
        before = self.model.held.pop(request.pk, None)
        needed = {}
        for (tenant, cluster, resource), amount in units.items():
            for pool in (("t", tenant), ("c", cluster)):
                needed[pool, resource] = needed.get((pool, resource), 0) + amount
        answer = all(
            not amount
            or resource not in self.limits.get(pool, {})
            or amount + sum(self.promised(pool, resource)) <= self.limits[pool][resource]
            for (pool, resource), amount in needed.items()
        )
        if before is not None:
            self.model.held[request.pk] = before
        return answer

    def promised(self, pool, resource):
        sort, pk = pool
        return self.model.standing(resource, tenant=pk) if sort == "t" else self.model.standing(resource, cluster=pk)

    def try_hold(self, request, needs):
        units = {}
        for need in needs:
            for resource, amount in need.amounts.items():
                key = (need.tenant.pk, need.cluster.pk, resource)
                units[key] = units.get(key, 0) + amount
        if not self.fits(units, request):
            with pytest.raises(NotEnough):
                ledger.hold(request, needs)
            self.outcomes["refused"] += 1
            return False
        ledger.hold(request, needs)
        self.model.held[request.pk] = units
        self.outcomes["held"] += 1
        return True

    def hold(self):
        tenant, cluster = self.random.choice(self.tenants), self.random.choice(self.clusters)
        request = a_request(tenant=tenant)
        if self.try_hold(request, [Need(tenant, cluster, self.amounts()) for _n in range(self.random.randrange(1, 4))]):
            self.open.append((request, tenant, cluster))

    def edit(self):
        request, tenant, cluster = self.random.choice(self.open)
        self.try_hold(request, [Need(tenant, cluster, self.amounts())])

    def release(self):
        request, _tenant, _cluster = self.open.pop(self.random.randrange(len(self.open)))
        ledger.release(request)
        self.model.held.pop(request.pk, None)

    def new_bundle(self, tenant, cluster):
        bundle = a_bundle(tenant=tenant, cluster=cluster)
        bundle.generation = desire(bundle, 1)
        self.model.bundles[bundle], self.model.seen[bundle] = {}, 0
        return bundle

    def grant(self):
        request, tenant, cluster = self.open.pop(self.random.randrange(len(self.open)))
        bundle = self.new_bundle(tenant, cluster)
        ledger.grant(request, bundle, 1)
        self.model.grant(request, bundle, 1)

    def grant_many(self):
        request, tenant, cluster = self.open.pop(self.random.randrange(len(self.open)))
        units = self.model.held.pop(request.pk)
        parts = [{}, {}, {}]
        for (_tenant, _cluster, resource), amount in units.items():
            for _unit in range(amount):
                part = self.random.choice(parts)
                part[resource] = part.get(resource, 0) + 1
        grants = [(self.new_bundle(tenant, cluster), 1, part) for part in parts]
        ledger.grant_many(request, grants)
        for bundle, revision, part in grants:
            self.model.bundles[bundle] = {
                resource: [[revision, None] for _unit in range(amount)] for resource, amount in part.items()
            }

    def change(self):
        bundle = self.random.choice(list(self.model.bundles))
        to = self.amounts()
        rises = {
            resource: amount - len(self.model.lasting(bundle, resource))
            for resource, amount in to.items()
            if amount > len(self.model.lasting(bundle, resource))
        }
        assert ledger.rises(bundle, to) == rises
        request = a_request(tenant=bundle.tenant)
        if not self.try_hold(request, [Need(bundle.tenant, bundle.cluster, rises)]):
            return
        bundle.generation = desire(bundle, bundle.generation + 1)
        ledger.change(request, bundle, bundle.generation, to)
        self.model.grant(request, bundle, bundle.generation)
        self.model.lower(bundle, bundle.generation, to)
        assert ledger.lasting(bundle) == {"memory": 0, "storage": 0} | to

    def give_back(self):
        bundle = self.random.choice(list(self.model.bundles))
        bundle.generation = desire(bundle, bundle.generation + 1)
        ledger.give_back(bundle, bundle.generation)
        self.model.lower(bundle, bundle.generation, {"cpu": 0, "pods": 0})

    def observe(self):
        bundle = self.random.choice(list(self.model.bundles))
        self.model.seen[bundle] = self.random.randint(self.model.seen[bundle], bundle.generation)
        observe(bundle, self.model.seen[bundle])

    def step(self):
        steps = [self.hold] * 4
        if self.open:
            steps += [self.edit, self.release, self.grant, self.grant, self.grant_many]
        if self.model.bundles:
            steps += [self.change] * 3 + [self.observe] * 4 + [self.give_back]
        self.random.choice(steps)()

    def compare(self):
        of_tenants, of_clusters = ledger.standings_of_tenants(self.tenants), ledger.standings_of_clusters(self.clusters)
        for sort, pools in (("t", of_tenants), ("c", of_clusters)):
            for pk, standings in pools.items():
                for resource in RESOURCES:
                    standing, limit = standings[resource], self.limits.get((sort, pk), {}).get(resource)
                    assert (standing.settled, standing.held) == self.promised((sort, pk), resource)
                    assert standing.limit == limit
                    assert limit is None or standing.promised <= limit


@pytest.mark.parametrize("seed", range(4))
def test_ledger__random_walk__sums_as_the_model_says_at_every_step(db, seed):
    walk = Walk(seed)
    for _number in range(250):
        walk.step()
        walk.compare()
    assert walk.outcomes["held"] > 50, walk.outcomes
    assert walk.outcomes["refused"] > 10, walk.outcomes


# Races, on connections of their own


def at_once(work, items, threads=THREADS):
    """The answers of `work` for each item, in as many threads, which begin together and close their connections."""
    barrier, items = threading.Barrier(threads), list(items)

    def run(share):
        try:
            barrier.wait(30)
            return [work(item) for item in share]
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        shares = pool.map(run, [items[number::threads] for number in range(threads)])
        return [answer for share in shares for answer in share]


def try_hold(needs, asker):
    """As a submission does: the request's row, whose foreign keys lock the pools a little, then the hold."""
    try:
        with transaction.atomic():
            request = a_request(tenant=needs[0].tenant, cluster=needs[0].cluster, asker=asker)
            ledger.hold(request, needs)
            return request
    except NotEnough:
        return None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pool", ["tenant", "cluster"])
def test_hold__200_at_once_on_room_for_20__exactly_20_held(pool):
    asker = a_user("dev")
    tenants = [a_tenant("claims")] if pool == "tenant" else [a_tenant(f"tenant{number}") for number in range(5)]
    places = [a_place("one", cpu_millicores=20_000, cpu_overcommit=2 if pool == "tenant" else 1)]
    if pool == "tenant":
        budget(tenants[0], cpu=20_999)
        places.append(a_cluster("two"))
    needs = [[Need(tenants[n % len(tenants)], places[n % len(places)], {"cpu": 1000, "pods": 1})] for n in range(200)]
    answers = at_once(lambda need: try_hold(need, asker), needs)
    winners = [request for request in answers if request is not None]
    assert len(winners) == 20
    assert Request.objects.count() == 20
    assert set(Claim.objects.values_list("request_id", flat=True)) == {request.pk for request in winners}
    sums = ledger.standings_of_tenants(tenants)
    assert sum(pools["cpu"].held for pools in sums.values()) == 20_000
    assert sum(pools["pods"].held for pools in sums.values()) == 20
    assert sum(pools["cpu"].held for pools in ledger.standings_of_clusters(places).values()) == 20_000


@pytest.mark.django_db(transaction=True)
def test_hold__tenants_and_clusters_cross__no_deadlock_and_exact_sums():
    chance, asker = random.Random(1), a_user("dev")
    # Many tenants, two of them a request, so that requests meet at clusters and not at tenants alone.
    tenants = [a_tenant(f"tenant{number}") for number in range(12)]
    places = [a_place(f"place{number}", cpu_millicores=60) for number in range(4)]
    for one in tenants:
        budget(one, cpu=25)
    needs = []
    for _number in range(300):
        pairs = itertools.product(chance.sample(tenants, 2), chance.sample(places, 3))
        needs.append([Need(one, place, {"cpu": chance.randint(0, 2)}) for one, place in pairs])
    answers = at_once(lambda need: try_hold(need, asker), needs)
    won = [need for need, request in zip(_as_answered(needs), answers, strict=True) if request is not None]
    assert 0 < len(won) < 300
    for one in tenants:
        expected = sum(need.amounts["cpu"] for needs in won for need in needs if need.tenant == one)
        assert ledger.pools_of_tenant(one)["cpu"] == Standing(25, 0, expected)
    for place in places:
        expected = sum(need.amounts["cpu"] for needs in won for need in needs if need.cluster == place)
        assert ledger.pools_of_cluster(place)["cpu"] == Standing(60, 0, expected)


def _as_answered(items):
    """The items in the order of `at_once`'s answers."""
    return [item for number in range(THREADS) for item in items[number::THREADS]]


@pytest.mark.django_db(transaction=True)
def test_ledger__everything_at_once__never_above_the_limits():
    """Lives of projects, from hold to removal, against two small pools, watched all the time."""
    asker, tenants, place = a_user("dev"), [a_tenant("claims"), a_tenant("motor")], a_place(cpu_millicores=30)
    budget(tenants[0], cpu=20)
    done, above, looks = threading.Event(), [], []

    def live(seed):
        chance = random.Random(seed)
        request = try_hold([Need(tenants[seed % 2], place, {"cpu": chance.randint(1, 4)})], asker)
        if request is None:
            return 0
        if chance.random() < 0.2:
            ledger.release(request)
            return 1
        with transaction.atomic():
            bundle = a_bundle(tenant=request.tenant, cluster=place)
            ledger.grant(request, bundle, desire(bundle, 1))
        observe(bundle, 1)
        with transaction.atomic():
            ledger.lower(bundle, desire(bundle, 2), {"cpu": 1})
        observe(bundle, 2)
        more = try_hold([Need(request.tenant, place, ledger.rises(bundle, {"cpu": 3}))], asker)
        if more is not None:
            with transaction.atomic():
                ledger.change(more, bundle, desire(bundle, 3), {"cpu": 3})
        with transaction.atomic():
            ledger.give_back(bundle, desire(bundle, 4))
        observe(bundle, 4)
        return 1

    def watch():
        try:
            while not done.is_set():
                ours, all_of_it = ledger.pools_of_tenant(tenants[0])["cpu"], ledger.pools_of_cluster(place)["cpu"]
                looks.append(all_of_it.promised)
                above.extend(pool for pool in (ours, all_of_it) if pool.left < 0)
        finally:
            connection.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        lived = sum(at_once(live, range(200), threads=16))
    finally:
        done.set()
        watcher.join()
    assert above == []
    assert lived > 20
    assert max(looks) > 15
    assert ledger.pools_of_cluster(place)["cpu"] == Standing(30, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_hold__another_pool_is_locked__not_waited_for():
    asker, ours, theirs = a_user("dev"), a_tenant("claims"), a_tenant("motor")
    here, there = a_cluster("here"), a_cluster("there")

    def elsewhere(needs):
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")
        return try_hold(needs, asker)

    with transaction.atomic():
        ledger.hold(a_request(tenant=ours, asker=asker), [Need(ours, here, {"cpu": 1})])
        assert at_once(elsewhere, [[Need(theirs, there, {"cpu": 1})]], threads=1) != [None]
        for needs in ([Need(ours, there, {"cpu": 1})], [Need(theirs, here, {"cpu": 1})]):
            with pytest.raises(OperationalError, match="lock timeout"):
                at_once(elsewhere, [needs], threads=1)


@pytest.mark.django_db(transaction=True)
def test_hold__pools_are_locked__foreign_keys_to_them_are_not():
    asker, tenant, cluster = a_user("dev"), a_tenant("claims"), a_cluster("here")

    def refer(_item):
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")
        return a_request(tenant=tenant, cluster=cluster, asker=asker).pk, a_bundle(tenant=tenant, cluster=cluster).pk

    with transaction.atomic():
        ledger.hold(a_request(tenant=tenant, asker=asker), [Need(tenant, cluster, {"cpu": 1})])
        assert len(at_once(refer, [1], threads=1)) == 1


@pytest.mark.django_db(transaction=True)
def test_set_budget__against_holds__never_below_what_is_promised():
    asker, tenant, cluster = a_user("dev"), a_tenant("claims"), a_cluster("here")
    budget(tenant, cpu=100)

    def either(number):
        if number % 4:
            return try_hold([Need(tenant, cluster, {"cpu": 1})], asker) is not None
        try:
            with transaction.atomic():
                ledger.set_budget(tenant=tenant, amounts={"cpu": 40 - number // 4}, by=asker, at=timezone.now())
                return True
        except BelowPromised:
            return False

    at_once(either, range(160))
    pool = ledger.pools_of_tenant(tenant)["cpu"]
    assert pool.left >= 0
    assert pool.held == Claim.objects.count() == Request.objects.count()

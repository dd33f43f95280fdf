"""Races: two things done to one request at the same moment, by REST. One outcome, a clear answer for the other, and the
ledger exact afterwards."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count

import pytest
from django.db import close_old_connections, connections
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_token
from audit.models import Event
from tenants.models import Claim, Project, TenantBudget
from tests.builders import a_tenant, a_user, ready_portal, wish
from workflow import queries
from workflow.models import OpenTarget, Request
from workflow.services import submit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]
PAIRS_OF_A_SORT = {True: 100, False: 5}
CROWD = {True: (200, 20), False: (40, 4)}
# An edit that does not mind what it changes: the races are about what the locks make of it.
ANY = {"If-Match": "*"}
CLOSED = {"approved", "rejected", "withdrawn"}
_keys = count(1)


@dataclass
class Answer:
    """What one of the two was told."""

    act: str
    status: int
    code: str
    number: int | None


class Arena:
    """People with tokens, who act at the same moment."""

    def __init__(self, gitops_cluster) -> None:
        ready_portal()
        tenant = a_tenant("claims", dev="developer")
        TenantBudget.objects.create(tenant=tenant, resource="cpu", amount=10**9)
        roles = {"dev": (), "platform": ("approver:platform",), "second": ("approver:platform",)}
        self.people = {name: a_user(name, *held) for name, held in roles.items()}
        self._tokens = {name: self._token(user) for name, user in self.people.items()}

    @staticmethod
    def _token(user: User) -> str:
        scopes = ["read", "request", "decide"]
        return issue_token(user=user, name="race", scopes=scopes, days=1, by=user, at=timezone.now())[1]

    def asked(self, **changes: object) -> Request:
        """A fresh request of dev's that the platform group decides."""
        return submit(kind="new-project", values=wish(**changes), by=self.people["dev"], at=timezone.now())

    def call(self, act: str, who: str, method: str, path: str, body: dict | None = None, **headers: str) -> Answer:
        """One call by a program of that person."""
        client = Client(headers={"Authorization": f"Bearer {self._tokens[who]}", "Accept-Language": "en", **headers})
        client.raise_request_exception = False
        try:
            answer = client.generic(method, f"/api/v1/{path}", _json(body), "application/json")
            told = answer.json()
            code = told.get("type", "").rpartition(":")[2]
            return Answer(act, answer.status_code, code, told.get("number"))
        finally:
            close_old_connections()

    def decision(self, request: Request, who: str, verdict: str) -> Callable[[], Answer]:
        """Deciding it on the plan as it is before the race."""
        plan = queries.newest_plan(request)
        body = {"verdict": verdict, "note": "Because", "plan_digest": plan.digest if plan else ""}
        return partial(self.call, verdict, who, "POST", f"requests/{request.number}/decision", body)

    def editing(self, request: Request) -> Callable[[], Answer]:
        """Asking for more."""
        values = request.values | {"environments": [request.values["environments"][0] | {"cpu": "3"}]}
        return partial(self.call, "edit", "dev", "PUT", f"requests/{request.number}", {"values": values}, **ANY)

    def withdrawal(self, request: Request) -> Callable[[], Answer]:
        """Taking it back."""
        return partial(self.call, "withdraw", "dev", "POST", f"requests/{request.number}/withdrawal")

    def asking(self, values: dict, key: str) -> Callable[[], Answer]:
        """Sending a form."""
        body = {"kind": "new-project", "values": values}
        return partial(self.call, "submit", "dev", "POST", "requests", body, **{"Idempotency-Key": key})


def _json(body: dict | None) -> str:
    return json.dumps(body) if body is not None else ""


@pytest.fixture
def arena(gitops_cluster) -> Arena:
    return Arena(gitops_cluster)


def at_once(*acts: Callable[[], Answer]) -> list[Answer]:
    """What each was told; all start at the same moment, each with a connection of its own."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Answer]) -> Answer:
        start.wait(30)
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(60) for future in [pool.submit(run, act) for act in acts]]


ENDS = ("request.approve", "request.reject", "request.withdraw")


def events_of(number: int, *actions: str) -> int:
    return Event.objects.filter(subject=f"request:{number}", action__in=actions).count()


def check_ends_once(request: Request, answers: list[Answer]) -> None:
    """At most one end, its event, and the ledger as that end wants it."""
    request.refresh_from_db()
    assert all(answer.status in (200, 403, 409) for answer in answers), answers
    ends = events_of(request.number, *ENDS)
    assert ends == (1 if request.state in CLOSED else 0), (request.state, ends, answers)
    assert OpenTarget.objects.filter(request=request).exists() == request.is_open
    claims = Claim.objects.filter(request=request)
    cpu = claims.filter(resource="cpu").aggregate(cpu=Sum("amount"))["cpu"] or 0
    wanted = {"2": 2000, "3": 3000}[request.values["environments"][0]["cpu"]]
    if request.state == "approved":
        project = Project.objects.get(uid=request.uid)
        assert (cpu, project.cpu_millicores) == (wanted, wanted)
        assert not claims.filter(bundle__isnull=True).exists()
    else:
        assert not Project.objects.filter(uid=request.uid).exists()
        assert cpu == (wanted if request.is_open else 0)


def two_deciders(arena: Arena, dice: random.Random) -> list[Answer]:
    request = arena.asked()
    verdicts = [dice.choice(["approve", "reject", "send_back"]) for _ in range(2)]
    answers = at_once(*(arena.decision(request, w, v) for w, v in zip(("platform", "second"), verdicts, strict=True)))
    assert sorted(answer.status for answer in answers) == [200, 409], answers
    check_ends_once(request, answers)
    won = next(answer.act for answer in answers if answer.status == 200)
    assert request.state == {"approve": "approved", "reject": "rejected", "send_back": "changes_requested"}[won]
    return answers


def double_click(arena: Arena, dice: random.Random) -> list[Answer]:
    request = arena.asked()
    act = arena.decision(request, "platform", dice.choice(["approve", "reject"]))
    answers = at_once(act, act)
    assert sorted(answer.status for answer in answers) in ([200, 409], [200, 403]), answers
    check_ends_once(request, answers)
    assert request.decisions.count() == 1
    return answers


def replayed_post(arena: Arena, dice: random.Random) -> list[Answer]:
    act = arena.asking(wish(environment=dice.choice(["dev", "test"])), f"key-{next(_keys)}")
    answers = at_once(act, act)
    # The second one comes while the first still runs, or is answered what the first was.
    assert sorted(answer.status for answer in answers) in ([201, 201], [201, 409]), answers
    assert {answer.code for answer in answers if answer.status == 409} <= {"in-progress"}, answers
    [number] = {answer.number for answer in answers if answer.status == 201}
    request = Request.objects.get(pk=number)
    assert act().number == number
    assert events_of(request.number, "request.submit") == 1
    check_ends_once(request, [])
    return answers


def edit_against_decide(arena: Arena, dice: random.Random) -> list[Answer]:
    request = arena.asked()
    verdict = dice.choice(["approve", "approve", "reject"])
    answers = at_once(arena.editing(request), arena.decision(request, "platform", verdict))
    check_ends_once(request, answers)
    statuses = {answer.act: answer.status for answer in answers}
    if verdict == "approve":
        # Never both: an approval is of what was seen, so one of the two is told.
        assert sorted(statuses.values()) == [200, 409], answers
        assert (request.state == "approved") == (statuses["approve"] == 200)
        assert request.values["environments"][0]["cpu"] == ("3" if statuses["edit"] == 200 else "2")
    else:
        assert statuses["reject"] == 200 and request.state == "rejected", answers
    return answers


def withdraw_against_decide(arena: Arena, dice: random.Random) -> list[Answer]:
    request = arena.asked()
    verdict = dice.choice(["approve", "reject", "send_back"])
    answers = at_once(arena.withdrawal(request), arena.decision(request, "second", verdict))
    check_ends_once(request, answers)
    statuses = {answer.act: answer.status for answer in answers}
    if verdict == "send_back":
        # What was sent back can still be withdrawn, so both may happen, in this order.
        assert request.state == "withdrawn" and statuses["withdraw"] == 200, answers
    else:
        assert sorted(statuses.values()) == [200, 409], answers
        assert (request.state == "withdrawn") == (statuses["withdraw"] == 200)
    return answers


SORTS = [two_deciders, double_click, replayed_post, edit_against_decide, withdraw_against_decide]


@pytest.fixture
def report(is_full: bool, capsys) -> Iterator[Callable[[str], None]]:
    """Prints what the full campaign is to tell."""

    def say(line: str) -> None:
        if is_full:
            with capsys.disabled():
                print(line)

    yield say


def check_ledger() -> int:
    """The ledger's sum is that of projects and open requests, to the millicore; answers it."""
    projects = Project.objects.aggregate(cpu=Sum("cpu_millicores"))["cpu"] or 0
    still_open = Request.objects.filter(state__in=["submitted", "changes_requested"])
    held = sum(1000 * int(request.values["environments"][0]["cpu"]) for request in still_open)
    promised = Claim.objects.filter(resource="cpu").aggregate(cpu=Sum("amount"))["cpu"] or 0
    assert promised == projects + held
    return int(promised)


def test_races__pairs_of_five_sorts__one_outcome_each(arena, dice, is_full, report):
    pairs = [sort for sort in SORTS for _ in range(PAIRS_OF_A_SORT[is_full])]
    dice.shuffle(pairs)
    told: dict[str, Counter[str]] = {sort.__name__: Counter() for sort in SORTS}
    ended_twice: Counter[str] = Counter()
    for sort in pairs:
        answers = sort(arena, dice)
        told[sort.__name__][" + ".join(sorted(f"{a.act} {a.status}" for a in answers))] += 1
        number = next(answer.number for answer in answers if answer.number is not None)
        ended_twice[sort.__name__] += events_of(number, *ENDS) > 1
    promised = check_ledger()
    assert ended_twice.total() == 0
    report(f"\n{len(pairs)} racing pairs, by REST, each pair at one moment on connections of its own")
    for name, seen in told.items():
        report(f"{name.replace('_', ' ')}: {seen.total()} pairs, two outcomes: {ended_twice[name]}")
        for words, times in sorted(seen.items()):
            report(f"    {times:4}  {words}")
    report(f"the ledger afterwards: {promised} millicores promised, as projects and open requests add up to")


def test_crowd__more_than_there_is_room_for__exactly_the_room_is_held(arena, is_full, report):
    many, room = CROWD[is_full]
    TenantBudget.objects.filter(resource="cpu").update(amount=room * 2000)
    acts = [arena.asking(wish(), f"crowd-{number}") for number in range(many)]
    answers: list[Answer] = []
    # The database takes a hundred connections.
    with ThreadPoolExecutor(40) as pool:

        def run(act: Callable[[], Answer]) -> Answer:
            try:
                return act()
            finally:
                connections.close_all()

        answers = list(pool.map(run, acts))
    told = Counter((answer.status, answer.code) for answer in answers)
    assert told == {(201, ""): room, (409, "not-enough"): many - room}
    assert Request.objects.count() == room == OpenTarget.objects.count()
    promised = check_ledger()
    assert promised == room * 2000
    report(f"\n{many} concurrent requests on room for {room}: {room} held, {many - room} told, {promised} millicores")

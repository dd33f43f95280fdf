"""Who is told of what a request does, and who no longer is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notify.models import Message
from tests.builders import a_user, decided_by, wish
from tests.tenants.doing import approved, asked, drive_now, everybody, made
from tests.waiting import eventually
from web.sentences import shown
from workflow.models import Deadline, Delegation
from workflow.services import comment, decide, edit, withdraw
from workflow.services.deadlines import watch_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(gitops_cluster):
    found = everybody()
    found["second"] = a_user("second", "approver:platform")
    decided_by("platform")
    return found


def to(name, **fields):
    """Kinds of what the person was told, oldest first."""
    rows = Message.objects.filter(to__username=name, **fields).order_by("id")
    return list(rows.values_list("kind", flat=True))


def waiting_for(name):
    return to(name, closed_at=None, read_at=None, asks=True)


def said(request, verdict, by, note=""):
    return decide(number=request.number, verdict=verdict, note=note, plan_digest="", by=by, at=timezone.now())


def test_submit__approvers_of_the_step__told_and_nobody_else(people):
    request = asked("new-project", people["dev"], **wish())
    assert waiting_for("platform") == waiting_for("second") == ["request.waiting"]
    assert Message.objects.count() == 2
    one = Message.objects.filter(to=people["platform"]).get()
    assert one.link == f"/requests/{request.number}" and one.about == f"request:{request.number}"
    assert request.title in shown(one.sentence) and "dev" in shown(one.sentence)


def test_submit__approver_asks__not_told_of_their_own(people):
    people["owner"].roles = ["approver:platform"]
    people["owner"].save()
    asked("new-project", people["owner"], **wish())
    assert to("owner") == [] and waiting_for("platform") == ["request.waiting"]


def test_submit__deputy__told_in_whose_place_and_asker_as_deputy_not(people):
    now = timezone.now()
    period = {"starts_at": now, "ends_at": now + timedelta(days=1), "created_at": now}
    for name in ("guest", "dev"):
        Delegation.objects.create(by=people["platform"], to=people[name], **period)
    asked("new-project", people["dev"], **wish())
    assert to("dev") == []
    assert "in place of platform" in shown(Message.objects.get(to=people["guest"]).sentence)


def test_approve__last_step__asker_told_and_others_no_longer_asked(people):
    request = approved(asked("new-project", people["dev"], **wish()), people["platform"])
    assert to("dev") == ["request.approved"]
    assert waiting_for("platform") == waiting_for("second") == []
    assert to("platform") == to("second") == ["request.waiting"]
    assert request.state == "approved"


def test_approve__two_of_a_group__who_spoke_is_no_longer_asked(people):
    decided_by("platform", minimum=2)
    request = asked("new-project", people["dev"], **wish())
    approved(request, people["platform"])
    assert waiting_for("platform") == [] and waiting_for("second") == ["request.waiting"]
    assert to("dev") == []


def test_approve__first_of_two_steps__the_next_are_asked_but_not_who_approved(people):
    both = a_user("both", "approver:platform", "approver:security")
    a_user("guard", "approver:security")
    decided_by("platform", "security")
    approved(asked("new-project", people["dev"], **wish()), both)
    assert waiting_for("guard") == ["request.waiting"]
    assert waiting_for("both") == waiting_for("second") == []


def test_reject__asker__told_why(people):
    request = asked("new-project", people["dev"], **wish())
    said(request, "reject", people["platform"], "No room")
    assert to("dev") == ["request.rejected"] and "No room" in shown(Message.objects.get(to=people["dev"]).sentence)
    assert waiting_for("second") == []


def test_send_back__then_edit__asker_asked_until_it_is_edited_then_approvers(people):
    request = asked("new-project", people["dev"], **wish())
    said(request, "send_back", people["platform"], "Smaller, please")
    assert waiting_for("dev") == ["request.sent-back"] and waiting_for("second") == []
    edit(number=request.number, values=request.values | {"reason": "smaller"}, by=people["dev"], at=timezone.now())
    assert waiting_for("dev") == []
    assert waiting_for("platform") == waiting_for("second") == ["request.waiting"]


def test_withdraw__approvers__no_longer_asked(people):
    request = asked("new-project", people["dev"], **wish())
    withdraw(number=request.number, by=people["dev"], at=timezone.now())
    assert waiting_for("platform") == [] and to("dev") == []


def test_clock__halfway_and_at_the_end__reminded_and_told(people):
    request = asked("new-project", people["dev"], **wish())
    clock = Deadline.objects.get(request=request)
    _looked(clock, clock.remind_at)
    assert waiting_for("platform") == ["request.reminder"] and to("dev") == []
    _looked(clock, clock.expires_at)
    assert waiting_for("platform") == [] and to("dev") == ["request.expired"]


def test_clock__sent_back__asker_reminded_in_place_of_the_first(people):
    request = asked("new-project", people["dev"], **wish())
    said(request, "send_back", people["platform"], "Smaller, please")
    clock = Deadline.objects.get(request=request)
    _looked(clock, clock.remind_at)
    assert waiting_for("dev") == ["request.reminder"]


def _looked(clock, at):
    from work.claims import claim

    Deadline.objects.filter(pk=clock.pk).update(due_at=timezone.now(), lease_until=None, lease_owner=None)
    watch_at(claim(Deadline, clock.pk, timezone.now()), at)
    clock.refresh_from_db()


def test_comment__asker_and_who_took_part__told_but_not_who_says_it(people):
    request = asked("new-project", people["dev"], **wish())
    comment(number=request.number, text="When?", by=people["platform"], at=timezone.now())
    assert to("dev") == ["request.commented"] and to("second") == ["request.waiting"]
    comment(number=request.number, text="Soon", by=people["dev"], at=timezone.now())
    assert to("platform") == ["request.waiting", "request.commented"]
    assert to("dev") == ["request.commented"]


def test_comment__who_may_no_longer_read_it__is_not_told(people):
    request = asked("new-project", people["dev"], **wish())
    comment(number=request.number, text="Me too", by=people["guest"], at=timezone.now())
    request.tenant.memberships.filter(subject="user:guest").delete()
    comment(number=request.number, text="Secret", by=people["platform"], at=timezone.now())
    assert to("guest") == []


def test_service_account__asks__its_owner_is_told(people):
    robot = a_user("robot", owner=people["dev"])
    request_by = {"subject": "user:robot", "role": "developer"}
    asked_for = asked("new-project", people["dev"], **wish()).tenant
    asked_for.memberships.create(**request_by)
    request = asked("new-project", robot, **wish())
    said(request, "reject", people["platform"], "No")
    assert to("robot") == [] and to("dev") == ["request.rejected"]


def test_cluster__has_it__asker_told_once(people):
    project = made(people["dev"])
    assert to("dev") == ["request.committed"]
    drive_now(project.bundle)
    assert to("dev") == ["request.committed"]


def test_cluster__refuses__asker_told_why(people, real_cluster, monkeypatch):
    from clusters.drivers.base import DriverError
    from clusters.drivers.kubernetes.driver import KubernetesDriver
    from tenants.models import Project
    from web.sentences import Sentence

    def refuse(*_args, **_kwargs):
        raise DriverError(Sentence("The cluster says: %(message)s", {"message": "no"}), transient=False)

    monkeypatch.setattr(KubernetesDriver, "apply", refuse)
    request = asked("new-project", people["dev"], **wish(environment="dev", cluster="real"))
    bundle = Project.objects.get(uid=request.uid).bundle

    def is_blocked():
        drive_now(bundle)
        return bundle.blocked

    eventually(is_blocked, 30, "the cluster refuses")
    assert to("dev") == ["request.blocked"]
    assert "The cluster says: no" in shown(Message.objects.get(to=people["dev"]).sentence)

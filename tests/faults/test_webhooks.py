"""A worker killed between sending a webhook and writing that down: it is sent again, with the same id."""

import signal
from pathlib import Path

import pytest
from django.utils import timezone

from notify import services
from notify.models import Attempt, Delivery
from tests.builders import a_user
from tests.notify.receivers import receiving
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = {"PORTAL_WORK_LEASE_SECONDS": "3", "PORTAL_WORK_OFFER_SECONDS": "2", "PORTAL_WORK_POLL_SECONDS": "0.5"}


def test_worker__killed_after_sending__sent_again_with_the_same_id(portal, tmp_path: Path):
    (tmp_path / "failpoints").mkdir()
    order = tmp_path / "failpoints" / "after-webhook"
    order.touch()
    variables = QUICK | {"PORTAL_FAILPOINT_FOLDER": str(order.parent)}
    with receiving() as receiver:
        values = {"tenant": "claims", "url": receiver.url, "events": [], "description": ""}
        made, _secret = services.register_endpoint(**values, by=a_user("owner"), at=timezone.now())
        portal.start("worker", "dispatch", **variables)
        services.send_test(uid=made.uid, by=a_user("owner"), at=timezone.now())
        eventually(order.with_name("after-webhook.reached").exists, 60, "the worker has sent it")
        portal.kill("worker", signal.SIGKILL)
        assert len(receiver.seen) == 1 and not Attempt.objects.exists()
        portal.start("second-worker", **variables)
        eventually(lambda: Delivery.objects.get().state == "delivered", 60, "another worker sends it again")
        assert len({headers["webhook-id"] for _path, headers, _body in receiver.seen}) == 1
        assert len(receiver.seen) == 2 and Attempt.objects.count() == 1

"""The size plans the portal starts with, and reading them."""

import pytest
from django.utils import timezone, translation

from audit.models import Event
from tenants.models import SizePlan
from tenants.size_plans import UnknownPlan, active_plans, figures_of, seed_size_plans

pytestmark = pytest.mark.django_db
GI = 1024**3


@pytest.fixture(autouse=True)
def seeded():
    SizePlan.objects.all().delete()
    assert seed_size_plans(at=timezone.now()) == 4


def test_seed_size_plans__none_there__four_with_an_event_each():
    assert [plan.slug for plan in active_plans()] == ["s", "m", "l", "xl"]
    assert Event.objects.filter(action="size-plan.create").count() == 4
    assert Event.objects.get(subject="size-plan:m").after == figures_of("m")


def test_seed_size_plans__some_there__left_alone():
    SizePlan.objects.exclude(slug="s").delete()
    assert seed_size_plans(at=timezone.now()) == 0
    assert SizePlan.objects.count() == 1


def test_name__of_a_seeded_plan__in_the_readers_language():
    plan = SizePlan.objects.get(slug="s")
    assert plan.name == "Small (S)"
    with translation.override("zh-hans"):
        assert plan.name == "小 S"


@pytest.mark.parametrize(
    ("slug", "figures"),
    [("s", (2000, 4, 20, 20)), ("m", (4000, 8, 50, 40)), ("l", (8000, 16, 100, 80)), ("xl", (16000, 32, 200, 150))],
)
def test_figures_of__seeded_plan__millicores_bytes_pieces(slug, figures):
    cpu, memory, storage, pods = figures
    assert figures_of(slug) == {"cpu": cpu, "memory": memory * GI, "storage": storage * GI, "pods": pods}


@pytest.mark.parametrize("slug", ["", "xxl", "S"])
def test_figures_of__unknown_plan__error(slug):
    with pytest.raises(UnknownPlan):
        figures_of(slug)


def test_figures_of__retired_plan__error():
    SizePlan.objects.filter(slug="l").update(is_active=False)
    with pytest.raises(UnknownPlan):
        figures_of("l")
    assert [plan.slug for plan in active_plans()] == ["s", "m", "xl"]

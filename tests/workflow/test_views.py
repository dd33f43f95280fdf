"""Pages of requests: the form and its fragments, changing, following, deciding, commenting."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster
from tenants.models import TenantBudget
from tests.builders import a_tenant, as_form, decided_by, wish
from workflow import queries
from workflow.models import Comment, Delegation, Request, Step
from workflow.services import decide, delegate

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def browse(people):
    def client(who, **options):
        made = Client(headers={"Accept-Language": "en"}, **options)
        made.force_login(people[who], backend="accounts.backends.DirectoryBackend")
        return made

    return client


def environments(*names, **changes):
    one = {"cpu": "2", "memory": "4Gi", "storage": "20Gi", "pods": 20}
    return [one | {"environment": name} | changes for name in names]


def said(people, request, verdict, by="platform", note="Because"):
    digest = queries.newest_plan(request).digest
    at = timezone.now()
    return decide(number=request.number, verdict=verdict, note=note, plan_digest=digest, by=people[by], at=at)


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_offered__developer__the_kinds_with_their_forms(browse):
    page = browse("dev").get("/requests/new").content.decode()
    assert 'href="/requests/new/new-project"' in page
    assert "/requests/new/change-policy" not in page


def test_offered__who_may_ask_for_no_project__is_not_offered_one(browse):
    assert 'href="/requests/new/new-project"' not in browse("auditor").get("/requests/new").content.decode()


def test_form__empty__a_card_for_each_environment_and_the_only_tenant_chosen(browse):
    page = browse("dev").get("/requests/new/new-project").content.decode()
    for environment in ("dev", "test", "prod"):
        assert f'name="environments.{environment}"' in page
        assert f'name="environments.{environment}.cpu"' in page
    assert '<option value="claims" selected>' in page
    # What is not asked for yet begins with the smallest size, not with figures of one's own.
    assert re.search(r'name="environments.dev.size".*?<option value="s" selected>', page, re.DOTALL)
    assert "Small (S) — CPU 2" in page


def test_form__of_a_kind_with_a_page_of_its_own__leads_there(browse):
    assert browse("admin").get("/requests/new/change-policy").url == "/policies/new"


def test_form__unknown_kind__404(browse):
    assert browse("dev").get("/requests/new/nothing").status_code == 404


def test_form__filled_in_by_the_address__shows_it_and_where_it_goes(browse):
    query = "?name=imaging&environments.dev=on&environments.dev.size=m"
    page = browse("dev").get("/requests/new/new-project" + query).content.decode()
    assert re.search(r'name="environments.dev" value="on" checked', page)
    assert re.search(r'name="environments.dev.size".*?<option value="m" selected>', page, re.DOTALL)
    assert "<code>claims-imaging-dev</code>" in page
    assert "gitops is the only cluster that fits" in page


def test_new__three_environments__a_parent_that_shows_each(browse, people):
    values = wish(environments=environments("dev", "test", "prod"))
    answer = browse("dev").post("/requests/new/new-project", as_form(values))
    parent = Request.objects.get(parent=None)
    assert answer.url == f"/requests/{parent.number}"
    page = browse("dev").get(answer.url)
    for child in parent.children.all():
        assert f'href="/requests/{child.number}"' in page.content.decode()
        assert f'href="/requests/{parent.number}"' in browse("dev").get(f"/requests/{child.number}").content.decode()
    assert "Development" in text_of(page) and "Production" in text_of(page)
    assert Request.objects.get(environment="dev").state == "approved"


def test_new__mistake_in_the_second_environment__marked_in_its_card(browse):
    values = wish(environments=[*environments("dev"), *environments("prod", cpu="many")])
    answer = browse("dev").post("/requests/new/new-project", as_form(values))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(r'id="id_environments.prod.cpu-error".*?is not a quantity', page, re.DOTALL)
    assert 'id="id_environments.dev.cpu-error"' not in page
    assert 'value="many"' in page
    assert not Request.objects.exists()


def test_new__no_environment__said_at_the_cards(browse):
    values = wish(environments=[])
    answer = browse("dev").post("/requests/new/new-project", as_form(values))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert re.search(r'id="id_environments-error".*?Choose at least one environment\.', page, re.DOTALL)
    assert '<a href="#id_environments.dev">Environments: Choose at least one environment.</a>' in page


def test_new__several_mistakes__each_listed_with_a_link_to_its_field(browse):
    values = wish(name="Not so", environments=[*environments("dev"), *environments("prod", cpu="many")])
    page = browse("dev").post("/requests/new/new-project", as_form(values)).content.decode()
    listed = re.search(r'id="form-errors".*?</ul>', page, re.DOTALL)[0]
    links = dict(re.findall(r'<a href="#([^"]+)">(.*?)</a>', listed))
    assert links["id_name"].startswith("Short name: Small letters"), links
    assert all(f'id="{place}"' in page for place in links)
    values = wish(environments=[*environments("dev"), *environments("prod", cpu="many")])
    page = browse("dev").post("/requests/new/new-project", as_form(values)).content.decode()
    links = dict(re.findall(r'<li><a href="#([^"]+)">(.*?)</a></li>', page))
    assert list(links) == ["id_environments.prod.cpu"] and 'id="id_environments.prod.cpu"' in page
    assert links["id_environments.prod.cpu"].startswith("Production · ")


def test_new__taken_name__marked_at_the_name(browse, ask):
    ask(name="imaging")
    answer = browse("dev").post("/requests/new/new-project", as_form(wish(name="imaging")))
    assert answer.status_code == 409
    page = answer.content.decode()
    assert re.search(r'id="id_name-error".*?already an open request', page, re.DOTALL)
    # Said once above the form, as the link to the field.
    assert page.count("<li>There is already an open request") == 0 and '<li><a href="#id_name">Short name: ' in page


def test_new__same_form_twice__one_request(browse):
    posted = as_form(wish()) | {"idempotency_key": "once"}
    client = browse("dev")
    assert client.post("/requests/new/new-project", posted).url == client.post("/requests/new/new-project", posted).url
    assert Request.objects.count() == 1


def test_new__form_changed_after_it_was_sent__a_request_of_its_own(browse):
    client = browse("dev")
    client.post("/requests/new/new-project", as_form(wish()) | {"idempotency_key": "once"})
    client.post("/requests/new/new-project", as_form(wish()) | {"idempotency_key": "once"})
    assert Request.objects.count() == 2


@pytest.mark.parametrize("who", ["guest", "stranger", "auditor"])
def test_new__wrong_role__nothing_is_made(browse, who):
    assert browse(who).post("/requests/new/new-project", as_form(wish())).status_code in (403, 422)
    assert not Request.objects.exists()


@pytest.mark.parametrize("size", ["", "m"])
def test_preview__while_typing__namespace_and_place_of_wanted_environments(browse, size):
    typed = {"tenant": "claims", "name": "imaging", "environments.test": "on", "environments.test.size": size}
    page = browse("dev").post("/requests/new/new-project/check", typed, headers=HTMX).content.decode()
    assert 'id="place-test" hx-swap-oob="true"' in page
    assert "place-dev" not in page
    assert "claims-imaging-test" in page and "gitops — capacity not known" in page


def test_preview__typed_nonsense__answered(browse):
    typed = {"tenant": "\x00", "name": "../", "environments.test": "on", "environments.test.cpu": "1e9999"}
    assert browse("dev").post("/requests/new/new-project/check", typed, headers=HTMX).status_code == 200


def test_approval__three_environments__who_decides_each_and_why(browse):
    typed = as_form(wish(environments=environments("dev", "test", "prod")))
    page = text_of(browse("dev").post("/requests/new/new-project/check", typed, headers=HTMX))
    assert "Development" in page and "approved automatically" in page
    assert "Production" in page and "Because of the policy" in page


def test_check__sent_without_scripts__leads_to_the_form(browse):
    assert browse("dev").post("/requests/new/new-project/check", {}).url == "/requests/new/new-project"


def test_preview__of_the_request_being_edited__is_not_in_its_own_way(browse, ask):
    request = ask(name="imaging")
    typed, address = (
        {"tenant": "claims", "name": "imaging", "environments.test": "on"},
        "/requests/new/new-project/check",
    )

    def answer(who, address):
        return browse(who).post(address, typed, headers=HTMX)

    busy = "asks for this name already"
    assert busy in answer("dev", address).content.decode()
    address = f"{address}?editing={request.number}"
    assert busy not in answer("dev", address).content.decode()
    # Who may not edit it is told as anybody else.
    assert busy in answer("owner", address).content.decode()
    assert answer("stranger", address).status_code == 404


def test_edit__form__present_values_and_only_its_environment(browse, ask):
    request = ask(cpu="3", reason="Why we want it")
    page = browse("dev").get(f"/requests/{request.number}/edit").content.decode()
    assert re.search(r'name="environments.test.cpu"[^>]* value="3"', page)
    assert "Why we want it" in page
    assert 'name="environments.dev"' not in page
    assert '<input type="hidden" name="environments.test" value="on">' in page


def test_edit__sent_back__changed_and_decided_anew(browse, ask, people):
    request = said(people, ask(), "send_back", note="Smaller, please")
    page = browse("dev").get(f"/requests/{request.number}")
    assert "Smaller, please" in text_of(page)
    assert f'href="/requests/{request.number}/edit"' in page.content.decode()
    values = Request.objects.get().values
    posted = as_form(values | {"environments": [values["environments"][0] | {"cpu": "1"}]})
    answer = browse("dev").post(f"/requests/{request.number}/edit", posted)
    assert answer.url == f"/requests/{request.number}"
    changed = Request.objects.get()
    assert (changed.state, changed.round, changed.values["environments"][0]["cpu"]) == ("submitted", 2, "1")
    assert "sent back what it was before" in text_of(browse("dev").get(f"/requests/{request.number}"))


def test_edit__fields_that_only_programs_see__stay(browse, ask, directory):
    group = "cn=claims-team,ou=groups,dc=insurer,dc=example"
    request = ask(developer_groups=[group])
    kept = Request.objects.get().values["developer_groups"]
    browse("dev").post(f"/requests/{request.number}/edit", as_form(request.values | {"developer_groups": []}))
    assert Request.objects.get().round == 2
    assert Request.objects.get().values["developer_groups"] == kept != []


@pytest.mark.parametrize(("who", "status"), [("owner", 403), ("platform", 403), ("stranger", 404), ("guest", 403)])
def test_edit__not_who_asked__refused(browse, ask, who, status):
    number = ask().number
    assert browse(who).get(f"/requests/{number}/edit").status_code == status
    assert browse(who).post(f"/requests/{number}/edit", as_form(wish())).status_code == status
    assert Request.objects.get().round == 1


def test_edit__closed_or_parent__refused(browse, ask, people):
    closed = said(people, ask(), "reject")
    parent = ask(environments=environments("test", "prod"))
    for number in (closed.number, parent.number):
        assert browse("dev").get(f"/requests/{number}/edit").status_code == 409


def test_edit__mistake__form_again_with_what_was_typed(browse, ask):
    request = ask()
    answer = browse("dev").post(f"/requests/{request.number}/edit", as_form(wish(cpu="many")))
    assert answer.status_code == 422
    assert 'value="many"' in answer.content.decode()
    assert Request.objects.get().round == 1


def test_again__rejected__form_filled_in_as_it_was(browse, ask, people, directory):
    request = said(people, ask(cpu="3", reason="Why we want it", viewers=["owner"]), "reject")
    page = browse("dev").get(f"/requests/{request.number}").content.decode()
    address = f"/requests/new/new-project?from={request.number}"
    assert f'href="{address}"' in page
    form = browse("dev").get(address).content.decode()
    assert "Why we want it" in form and 'value="3"' in form and ">owner</textarea>" in form
    assert 'name="environments.test" value="on" checked' in form
    assert browse("owner").get(f"/requests/{request.number}").content.decode().count("Ask again") == 0


def test_again__of_a_request_one_may_not_see__an_empty_form(browse, ask):
    request = ask(reason="Why we want it")
    form = browse("stranger").get(f"/requests/new/new-project?from={request.number}").content.decode()
    assert "Why we want it" not in form
    assert browse("stranger").get("/requests/new/new-project?from=9999999999999999999").status_code == 200


def test_detail__approver__room_risks_policy_and_three_verdicts(browse, ask, people):
    TenantBudget.objects.create(tenant=a_tenant("claims"), resource="cpu", amount=4000)
    request = ask(environment="prod")
    page = browse("datacenter").get(f"/requests/{request.number}")
    words = text_of(page)
    for verdict in ("approve", "send_back", "reject"):
        assert f'name="verdict" value="{verdict}"' in page.content.decode() or "another group" in words
    assert "Budget of tenant claims" in words
    assert "This is production." in words
    assert "Why these decide" in words


def test_detail__who_asked__no_panel_but_room_and_a_way_to_change_it(browse, ask):
    page = browse("dev").get(f"/requests/{ask().number}").content.decode()
    assert 'name="verdict"' not in page
    assert "Change it" in page and "Withdraw" in page


def test_detail__deadline__said_in_timeline_and_panel(browse, ask):
    page = browse("platform").get(f"/requests/{ask().number}")
    assert re.search(r"due in \d+ days", text_of(page))
    assert "To be decided" in text_of(page)


def test_detail__standing_in__says_in_whose_place(browse, ask, people, directory):
    ends_at = timezone.now() + timedelta(days=3)
    period = {"starts_at": timezone.now(), "ends_at": ends_at, "reason": "Holiday"}
    delegate(to="owner", by=people["platform"], at=timezone.now(), **period)
    request = ask()
    page = browse("owner").get(f"/requests/{request.number}")
    assert "You decide in place of platform." in text_of(page)
    digest = queries.newest_plan(request).digest
    browse("owner").post(f"/requests/{request.number}/decision", {"verdict": "approve", "plan_digest": digest})
    assert "owner for platform" in text_of(browse("dev").get(f"/requests/{request.number}"))


@pytest.mark.parametrize(
    ("verdict", "said_"), [("approve", "Approved."), ("send_back", "Sent back."), ("reject", "Rejected.")]
)
def test_decide__done__said_with_what_is_due_next(browse, ask, verdict, said_):
    last, first, other = ask(), ask(), ask()
    Step.objects.filter(request=other).update(due_at=timezone.now() + timedelta(hours=2))
    client = browse("platform")
    for number, following in ((first.number, other.number), (other.number, last.number), (last.number, None)):
        digest = queries.newest_plan(Request.objects.get(pk=number)).digest
        posted = {"verdict": verdict, "note": "So", "plan_digest": digest}
        page = client.post(f"/requests/{number}/decision", posted, follow=True).content.decode()
        assert f'<span tabindex="-1" data-focus>{said_}' in page
        assert ("Next: #" in page) == (following is not None)
        if following is not None:
            assert f'<a href="/requests/{following}">Next: #{following}</a>' in page


def test_decision__cluster_may_change__said_with_the_approval(browse, ask):
    number = ask().number
    page = text_of(browse("platform").get(f"/requests/{number}"))
    assert "is applied If the cluster changes before it is applied, you are asked again." in page
    Request.objects.filter(pk=number).update(cluster=None)
    assert "If the cluster changes" not in text_of(browse("platform").get(f"/requests/{number}"))


@pytest.mark.parametrize(("verdict", "state"), [("reject", "rejected"), ("send_back", "changes_requested")])
def test_decide__with_a_note__done(browse, ask, verdict, state):
    number = ask().number
    answer = browse("platform").post(f"/requests/{number}/decision", {"verdict": verdict, "note": "No room"})
    assert answer.url == f"/requests/{number}"
    assert Request.objects.get().state == state


@pytest.mark.parametrize("verdict", ["reject", "send_back", "", "nonsense"])
def test_decide__without_a_note_or_a_verdict__panel_says_so_and_keeps_the_choice(browse, ask, verdict):
    number = ask().number
    answer = browse("platform").post(f"/requests/{number}/decision", {"verdict": verdict})
    assert answer.status_code == 422
    assert Request.objects.get().state == "submitted"
    if verdict in ("reject", "send_back"):
        assert re.search(f'value="{verdict}" required checked', answer.content.decode())


def test_decide__plan_changed__the_new_plan_with_a_warning(browse, ask):
    number = ask().number
    said_ = {"verdict": "approve", "note": "Fine by me", "plan_digest": "0" * 64}
    answer = browse("platform").post(f"/requests/{number}/decision", said_)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Please decide on the new plan" in page and "Fine by me" in page
    assert queries.newest_plan(Request.objects.get()).digest in page
    assert Request.objects.get().state == "submitted"


def test_decide__already_decided__conflict_in_words(browse, ask, people):
    request = ask()
    said(people, request, "reject")
    answer = browse("platform").post(f"/requests/{request.number}/decision", {"verdict": "reject", "note": "Me too"})
    assert answer.status_code == 409
    assert "already closed" in answer.content.decode()


@pytest.mark.parametrize(("who", "status"), [("dev", 403), ("owner", 403), ("stranger", 404), ("auditor", 403)])
def test_decide__wrong_role__refused(browse, ask, who, status):
    number = ask().number
    assert browse(who).post(f"/requests/{number}/decision", {"verdict": "reject", "note": "No"}).status_code == status
    assert Request.objects.get().state == "submitted"


def test_comment__said__shown_in_the_record(browse, ask):
    number = ask().number
    answer = browse("platform").post(f"/requests/{number}/comments", {"text": "Which rack?"})
    assert answer.url == f"/requests/{number}#comment-{Comment.objects.get().pk}"
    assert "Which rack?" in text_of(browse("dev").get(f"/requests/{number}"))


@pytest.mark.parametrize("text", ["", "   ", "a\x00b", "abc\u202egnp", "x" * 2001])
def test_comment__not_sayable__422_and_kept(browse, ask, text):
    number = ask().number
    answer = browse("dev").post(f"/requests/{number}/comments", {"text": text})
    assert answer.status_code == 422
    assert 'id="comment-help"' in answer.content.decode()
    assert not Comment.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("auditor", 403), ("stranger", 404)])
def test_comment__wrong_role__refused(browse, ask, who, status):
    number = ask().number
    assert browse(who).post(f"/requests/{number}/comments", {"text": "Hm"}).status_code == status
    assert 'id="comment"' not in browse(who).get(f"/requests/{number}").content.decode()


def test_withdraw__parent_with_one_decided__says_what_is_withdrawn_and_keeps_the_rest(browse, ask):
    parent = ask(environments=environments("dev", "test", "prod"))
    page = browse("dev").get(f"/requests/{parent.number}")
    assert "Only what is not decided yet: Test, Production" in text_of(page)
    browse("dev").post(f"/requests/{parent.number}/withdrawal")
    states = dict(Request.objects.filter(parent=parent).values_list("environment", "state"))
    assert states == {"dev": "approved", "test": "withdrawn", "prod": "withdrawn"}


@pytest.mark.parametrize("what", ["timeline", "objects"])
def test_fragment__of_parent_and_child__shown(browse, ask, what):
    parent = ask(environments=environments("dev", "test"))
    for request in (parent, *parent.children.all()):
        address = f"/requests/{request.number}/{what}"
        assert browse("dev").get(address, headers=HTMX).status_code == 200
        assert browse("dev").get(address).url == f"/requests/{request.number}"


def test_list__parent__one_line_with_its_environments(browse, ask):
    parent = ask(environments=environments("dev", "prod"))
    page = browse("dev").get("/requests").content.decode()
    assert page.count("data-row") == 1
    assert f'href="/requests/{parent.number}" data-row' in page
    assert all(f'href="/requests/{child.number}"' in page for child in parent.children.all())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=submitted", {"one", "both"}),
        ("state=approved", {"dev"}),
        ("environment=prod", {"both"}),
        ("environment=dev", {"dev", "both"}),
        ("kind=new-project", {"one", "both", "dev"}),
        ("kind=change-policy", set()),
        ("tenant=claims", {"one", "both", "dev"}),
        ("tenant=motor", set()),
        ("q=owner", {"dev"}),
        ("q=imaging", {"one", "both", "dev"}),
        ("q=%00", {"one", "both", "dev"}),
        ("state=x&kind=x&environment=x", {"one", "both", "dev"}),
    ],
)
def test_list__filters__what_fits(browse, ask, people, query, found):
    made = {
        "one": ask(),
        "both": ask(environments=environments("dev", "prod")),
        "dev": ask("owner", environment="dev"),
    }
    page = browse("platform").get(f"/requests?{query}").content.decode()
    assert {name for name, one in made.items() if f'href="/requests/{one.number}" data-row' in page} == found


def test_list__by_number__that_one(browse, ask):
    first, second = ask(), ask()
    page = browse("dev").get(f"/requests?q=%23{second.number}").content.decode()
    assert f"#{second.number} " in page and f"#{first.number} " not in page


def test_mine__somebody_else__is_not_there(browse, ask):
    ask("owner")
    assert "data-row" not in browse("dev").get("/requests/mine").content.decode()
    assert "data-row" in browse("owner").get("/requests/mine").content.decode()


def test_home__sent_back__comes_first(browse, ask, people):
    request = said(people, ask(), "send_back")
    page = browse("dev").get("/").content.decode()
    steps = page.index('id="next"'), page.index(f"#{request.number} {request.title} was sent back to you")
    assert steps[0] < steps[1] < page.index("Ask for your first project")


def test_home__approver__what_waits_with_its_deadline(browse, ask):
    request = ask()
    words = text_of(browse("platform").get("/"))
    assert f"#{request.number} New project" in words and "due in" in words and "+2 cores" in words


def test_home__who_stands_in__sees_what_waits(browse, ask, people, directory):
    period = {"starts_at": timezone.now(), "ends_at": timezone.now() + timedelta(days=1), "reason": ""}
    delegate(to="owner", by=people["platform"], at=timezone.now(), **period)
    request = ask()
    assert f"#{request.number}" in text_of(browse("owner").get("/"))
    assert Delegation.objects.count() == 1


def test_navigation__by_role__what_each_may_do(browse):
    assert 'href="/inbox"' not in browse("dev").get("/").content.decode()
    for who in ("platform", "admin"):
        page = browse(who).get("/").content.decode()
        assert 'href="/inbox"' in page and 'href="/delegations"' in page and 'href="/policies"' in page


def test_detail__parent__no_panel_even_for_those_who_decide_its_children(browse, ask):
    parent = ask(environments=environments("test", "prod"))
    page = browse("platform").get(f"/requests/{parent.number}").content.decode()
    assert 'name="verdict"' not in page
    assert f'href="/requests/{parent.children.first().number}"' in page


def test_detail__unreachable_cluster__says_with_what_the_plan_compares(browse, ask, people):
    Cluster.objects.update(address="/nowhere/at/all")
    decided_by("platform")
    page = text_of(browse("platform").get(f"/requests/{ask().number}"))
    assert "The cluster could not be asked" in page

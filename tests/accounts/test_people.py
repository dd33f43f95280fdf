"""Finding people while one types, in a real slapd: the fragment below the box and by REST."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_token
from tests.plugins.directory import BASE, Directory

Browser = Callable[[User], Client]
HTMX = {"HX-Request": "true", "Accept-Language": "en"}


@pytest.fixture
def find(dev: User, as_person: Browser, directory: Directory) -> Callable[..., str]:
    def found(**typed: str) -> str:
        answer = as_person(dev).get("/people", typed, headers=HTMX)
        assert answer.status_code == 200
        return answer.content.decode()

    return found


@pytest.mark.parametrize("name", ["q", "to"])
def test_people__part_of_a_name__choices_with_what_they_fill_in(find, name):
    page = find(**{name: "li ming", "for": "id_developers-search"})
    assert 'data-value="dev"' in page and "dev · dev@insurer.example" in page
    assert 'role="option"' in page and 'id="id_developers-search-list"' in page


@pytest.mark.parametrize("text", ["李", "李明"])
def test_people__one_chinese_letter__is_enough(find, text):
    assert 'data-value="dev"' in find(q=text)


@pytest.mark.parametrize("text", ["", " ", "d", "\0"])
def test_people__too_little__asks_nobody(find, text):
    assert find(q=text).strip() == ""


@pytest.mark.parametrize("text", ["**", "dev)(uid=*", "<script>x</script>"])
def test_people__filter_characters__nobody_of_this_name(find, text):
    page = find(q=text)
    assert "The directory has nobody called" in page and "<script>" not in page


def test_people__groups__by_their_distinguished_name(find):
    page = find(q="claims", sort="groups")
    assert f'data-value="cn=claims-team,ou=groups,{BASE}"' in page and "claims-team is in the list." in page


def test_people__more_than_fit__eight(find):
    assert find(q="insurer.example").count('role="option"') == 8


def test_people__directory_gone__said_and_the_page_goes_on(find, directory):
    with directory.down():
        assert "The company directory does not answer." in find(q="dev")


def test_rest__people__found_and_503_without_the_directory(dev, directory):
    dev.roles_seen_at = timezone.now()
    dev.save()
    _token, text = issue_token(user=dev, name="t", scopes=["read"], days=30, by=dev, at=timezone.now())
    client = Client(headers={"Authorization": f"Bearer {text}"}, **{"wsgi.url_scheme": "https"})
    found = client.get("/api/v1/people", {"q": "li ming"}).json()["items"]
    assert found == [{"username": "dev", "display_name": "李明 Li Ming", "email": "dev@insurer.example"}]
    assert client.get("/api/v1/people", {"q": "d"}).json() == {"items": []}
    with directory.down():
        assert client.get("/api/v1/people", {"q": "dev"}).status_code == 503

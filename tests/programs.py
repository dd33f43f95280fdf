"""A program that speaks REST to a running portal, and what is live in its cluster."""

import json

import requests
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_token


class Client:
    """A REST client with a token."""

    def __init__(self, portal, username, *scopes):
        user = User.objects.get(username=username)
        at = timezone.now()
        _token, secret = issue_token(user=user, name="test", scopes=list(scopes), days=1, by=user, at=at)
        self._base = f"{portal.url}/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {secret}"

    def call(self, method, path, body=None, status=200):
        answer = self._session.request(method, self._base + path, json=body, timeout=30)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()


def live(kubectl, namespace, kind, name):
    return json.loads(kubectl("get", kind, name, "-n", namespace, "-o", "json"))

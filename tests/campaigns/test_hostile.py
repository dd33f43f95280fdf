"""Hostile input over every kind of request and every endpoint that takes something, in forms, headers and cookies: the
status, and what is said. The tables are in tests/hostile.

`script/campaign hostile` writes them with the answers to docs/campaigns/hostile.txt.
"""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.hostile.forms import FORMS
from tests.hostile.headers import HEADERS, Row
from tests.hostile.rest import REST
from tests.portal import walk
from tests.portal.walk import World

pytestmark = pytest.mark.django_db
# What a caller made up must not come back where a browser would follow or run it.
FOREIGN = ("http://evil", "https://evil", "<script>alert", 'onload="alert')


@pytest.fixture
def world(gitops_cluster, directory) -> Iterator[World]:
    yield walk.build()


def _filled(value: Any, world: World) -> Any:
    """The value with the world's own ids in it."""
    known = {
        "project": str(world.project.uid),
        "namespace": world.project.namespace,
        "number": str(world.request.number),
    }
    if isinstance(value, str):
        for name, text in known.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, dict):
        return {name: _filled(inner, world) for name, inner in value.items()}
    return [_filled(inner, world) for inner in value] if isinstance(value, list) else value


def _what(body: Any, place: str) -> str:
    """What is hostile about the body: its kind and what stands at the place that is refused, else the whole."""
    kind = body.get("kind", "") if isinstance(body, dict) and "values" in body else ""
    value = body["values"] if isinstance(body, dict) and "values" in body else body
    for part in place.split("/")[1:]:
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            break
    return f"{kind} {_short(value)}".strip()


def _short(value: Any) -> str:
    text = ascii(value) if isinstance(value, str) else ascii(json.dumps(value, ensure_ascii=False))
    return text if len(text) < 110 else f"{text[:70]}... ({len(text)} characters)"


def _called(client: Client, method: str, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    client.raise_request_exception = False
    text = json.dumps(body) if body is not None else ""
    headers = {"If-Match": "*"} if method in ("PUT", "PATCH") else {}
    answer = client.generic(method, path, text, "application/json", headers=headers)
    return answer.status_code, answer.json()


def test_hostile__rest__status_and_place_as_the_table_says(world, is_full, capsys):
    before, lines, wrong = walk.changed(), [], []
    for who, method, path, body, status, place in REST:
        told = _called(world.program(who), method, "/api/v1/" + _filled(path, world), _filled(body, world))
        errors = {error["pointer"]: error["detail"] for error in told[1].get("errors", [])}
        code = told[1].get("type", "").rpartition(":")[2]
        fits = told[0] == status and (
            place in errors if place.startswith("/") else place in (code, "") or place in errors
        )
        if not fits:
            wrong.append((who, method, path, _short(body), told))
        lines.append(
            f"{told[0]}  {who:9} {method:4} {path:28} {_what(body, place)}\n"
            f"     {place}: {errors.get(place) or told[1].get('detail')}"
        )
    assert not wrong, "\n".join(map(str, wrong))
    assert walk.changed() == before, "something was written"
    _print(is_full, capsys, f"{len(REST)} inputs by REST: status, who, where, what, and the answer", lines)


def test_hostile__forms__page_again_with_a_sentence(world, is_full, capsys):
    before, lines, wrong = walk.changed(), [], []
    for who, path, fields, status, sentence in FORMS:
        client = world.person(who)
        client.raise_request_exception = False
        answer = client.post(_filled(path, world), _filled(fields, world))
        page = html.unescape(answer.content.decode())
        if answer.status_code != status or sentence not in page or "<script>alert" in answer.content.decode():
            wrong.append((who, path, _short(fields), answer.status_code, sentence, _said(page)))
        lines.append(f"{answer.status_code}  {who:9} {path:28} {_short(fields)}\n     {sentence}")
    assert not wrong, "\n".join(map(str, wrong))
    assert walk.changed() == before, "something was written"
    _print(
        is_full,
        capsys,
        f"{len(FORMS)} inputs by form: status, who, where, what, and a part of what the page says",
        lines,
    )


def _said(page: str) -> str:
    """What the page says is wrong, of many words the first."""
    told = re.findall(r'-error"[^>]*>(.*?)</div|<p[^>]*>(.*?)</p>', page.partition("<main")[2], re.DOTALL)
    return " | ".join(" ".join(re.sub(r"<[^>]+>", " ", one or two).split()) for one, two in told)[:400]


def test_hostile__headers__status_and_sentence_as_the_table_says(world, is_full, capsys):
    before, lines, wrong = walk.changed(), [], []
    known = _known(world)
    for row in HEADERS:
        answer = _sent(world, row, known)
        text = answer.content.decode(errors="replace") + answer.get("Location", "")
        shown = [needle for needle in (*row.hides, *FOREIGN) if needle in text + str(dict(answer.headers))]
        if answer.status_code != row.status or row.said not in text or shown:
            wrong.append((row.what, row.method, row.path[:60], answer.status_code, text[:300], shown))
        lines.append(
            f"{answer.status_code}  {row.who or '-':9} {row.method:4} {row.path[:40]:40} {ascii(row.what)[1:-1]}"
        )
    assert not wrong, "\n".join(map(str, wrong))
    assert walk.changed() == before, "something was written"
    _print(is_full, capsys, f"{len(HEADERS)} headers, cookies, types and cursors: status, who, where, what", lines)


def _known(world: World) -> dict[str, str]:
    """What rows name in braces."""
    session, token = world.person("dev").cookies["session"].value, world.tokens["dev"]
    off = ("a" if session[0] != "a" else "b") + session[1:]
    known = {"session": session, "session_off": off, "session_upper": session.upper(), "token": token}
    known |= {"token_cut": token[:-1], "token_upper": token.upper(), "prefix": world.prefix}
    return known | {"number": str(world.request.number)}


def _sent(world: World, row: Row, known: dict[str, str]) -> Any:
    def filled(text: str) -> str:
        for name, value in known.items():
            text = text.replace("{" + name + "}", value)
        return text

    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    headers = {"Accept-Language": "en"} | {name: filled(value) for name, value in row.headers.items()}
    if row.who and "/api/" in row.path:
        headers = {"Authorization": f"Bearer {world.tokens[row.who]}"} | headers
    elif row.who and "Cookie" not in row.headers:
        client.cookies = world.person(row.who).cookies
    content_type = row.content_type or "application/octet-stream"
    return client.generic(row.method, filled(row.path), row.body, content_type, headers=headers)


def _print(is_full: bool, capsys: Any, title: str, lines: list[str]) -> None:
    if is_full:
        with capsys.disabled():
            print(f"\n{title}\n" + "\n".join(lines))

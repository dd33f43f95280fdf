"""Sentences: kept as they were written, shown in the language of whoever reads them."""

import json

import pytest
from django.utils import translation
from django.utils.translation import gettext_noop

from web.sentences import LONGEST, Sentence, shown

SAYS = gettext_noop("The cluster says: %(message)s")
REFUSES = gettext_noop("The cluster would refuse this: %(reason)s")


def test_str__two_languages__two_texts():
    sentence = Sentence(SAYS, {"message": "exceeded quota"})
    with translation.override("en"):
        assert str(sentence) == "The cluster says: exceeded quota"
    with translation.override("zh-hans"):
        assert str(sentence) == "集群返回：exceeded quota"
        assert sentence.english == "The cluster says: exceeded quota"


def test_shown__stored_and_read_from_json__in_the_readers_language():
    with translation.override("zh-hans"):
        stored = json.loads(json.dumps(Sentence(SAYS, {"message": "no"}).stored()))
    with translation.override("en"):
        assert shown(stored) == "The cluster says: no"
    with translation.override("zh-hans"):
        assert shown(stored) == "集群返回：no"


def test_shown__sentence_within_a_sentence__both_translated():
    stored = Sentence(REFUSES, {"reason": Sentence(SAYS, {"message": "no"})}).stored()
    with translation.override("en"):
        assert shown(stored) == "The cluster would refuse this: The cluster says: no"
    with translation.override("zh-hans"):
        assert "集群返回：no" in shown(stored) and "cluster" not in shown(stored)


def test_shown__text_that_no_catalogue_has__as_it_was_written():
    with translation.override("zh-hans"):
        assert shown(Sentence("%(ready)d of %(wanted)d stand.", {"ready": 1, "wanted": 2}).stored()) == "1 of 2 stand."


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (None, ""),
        ({}, ""),
        ("a text of earlier days", ""),
        ([], ""),
        ({"text": 3}, ""),
        ({"text": "", "parameters": {}}, ""),
        ({"text": "100% full"}, "100% full"),
        ({"text": "Of %(kind)s", "parameters": []}, "Of %(kind)s"),
        ({"text": "Of %(kind)s", "parameters": {"name": "x"}}, "Of %(kind)s"),
        ({"text": "%(n)d of it", "parameters": {"n": "many"}}, "%(n)d of it"),
        ({"text": "Of %(kind)s.", "parameters": {"kind": None}}, "Of ."),
        ({"text": "Of %(kind)s.", "parameters": {"kind": {"no": "text"}}}, "Of ."),
    ],
)
def test_shown__malformed__never_fails(stored, text):
    with translation.override("zh-hans"):
        assert shown(stored) == text


def test_stored__server_that_talks_endlessly__parameters_cut_together():
    inner = Sentence(SAYS, {"message": "y" * 700})
    stored = Sentence("%(name)s %(inner)s %(rest)s", {"name": "a", "inner": inner, "rest": "z" * 5000}).stored()
    texts = [stored["parameters"]["name"], stored["parameters"]["inner"]["parameters"]["message"]]
    assert texts == ["a", "y" * 700]
    assert stored["parameters"]["rest"] == "z" * (LONGEST - 702) + "…"
    assert Sentence("%(a)s%(b)s", {"a": "x" * LONGEST, "b": "more"}).stored()["parameters"]["b"] == ""


@pytest.mark.django_db
def test_stored__what_postgresql_refuses__left_out():
    from clusters.models import Bundle
    from tests.builders import a_bundle

    bundle = a_bundle(message=Sentence(SAYS, {"message": "a\0b \ud800 集群"}).stored())
    assert Bundle.objects.get(pk=bundle.pk).message["parameters"] == {"message": "ab ? 集群"}

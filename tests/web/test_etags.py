"""Entity tags: strong, of everything they are made of, and what the two conditions make of them."""

import pytest
from django.utils import translation

from web.etags import IfMatch, MatchMissing, Stale, etag, is_known, read_if_match


def test_etag__same_parts__same_strong_tag():
    assert etag(1, "a", None) == etag(1, "a", None)
    assert etag(1).startswith('"') and etag(1).endswith('"')


def test_etag__any_part_or_the_language_differs__another_tag():
    tags = {etag(1, "ab"), etag(1, "a", "b"), etag("1", "ab"), etag(1, "ac"), etag(1, "ab", None)}
    with translation.override("zh-hans"):
        tags.add(etag(1, "ab"))
    assert len(tags) == 6


@pytest.mark.parametrize("header", ['"a"', '"b", "a"', "*", '"b","a" , "c"'])
def test_if_match__names_it__passes(header):
    read_if_match(header).check('"a"')


@pytest.mark.parametrize("header", ['"b"', 'W/"a"', "", "a", '"a', "'a'", '"A"', "\x00", '"b", W/"a"'])
def test_if_match__does_not__stale_with_what_is_there(header):
    with pytest.raises(Stale) as caught:
        read_if_match(header).check('"a"')
    assert (caught.value.context, caught.value.headers) == ({"etag": '"a"'}, {"ETag": '"a"'})


def test_if_match__absent__said_so():
    with pytest.raises(MatchMissing):
        read_if_match(None)
    with pytest.raises(Stale):
        IfMatch(()).check('"a"')


@pytest.mark.parametrize(
    ("header", "known"),
    [(None, False), ("", False), ('"a"', True), ('W/"a"', True), ('"b"', False), ("*", True), ("a", False)],
)
def test_is_known__weakly(header, known):
    assert is_known(header, '"a"') is known

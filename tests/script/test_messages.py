"""Translations are compiled without gettext's own program."""

import gettext

import pytest

from script.local import messages

CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

#: here.py:1
msgid "Home"
msgstr "首页"

#: here.py:2
#, fuzzy
msgid "Guessed"
msgstr "猜的"

#: here.py:3
msgid "Nobody did this"
msgstr ""

#: here.py:4
msgid "%(count)s of %(all)s"
msgstr "共 %(count)s"
"""


@pytest.fixture
def catalogue(monkeypatch, tmp_path):
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    file = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    file.parent.mkdir(parents=True)
    file.write_text(CATALOGUE)
    return file


def test_compile_catalogues__translated_and_guessed__only_the_translated_are_used(catalogue):
    assert messages.compile_catalogues() == 1
    with catalogue.with_suffix(".mo").open("rb") as file:
        words = gettext.GNUTranslations(file)
    assert words.gettext("Home") == "首页"
    assert words.gettext("Guessed") == "Guessed"


def test_compile_catalogues__nothing_changed__writes_nothing(catalogue):
    messages.compile_catalogues()
    assert messages.compile_catalogues() == 0


def test_missing__guessed_absent_and_without_a_placeholder__are_named(catalogue):
    assert [line.split(": ", 1)[1] for line in messages.missing()] == [
        "only guessed: 'Guessed'",
        "not translated: 'Nobody did this'",
        "other placeholders: '%(count)s of %(all)s'",
    ]

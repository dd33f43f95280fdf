"""What holds for all templates: the strict content security policy, and icons that exist."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
SPRITE = (settings.BASE_DIR / "static/src/icons.svg").read_text(encoding="utf-8")
NAMED = re.compile(r"""{%\s*icon\s+"([\w-]+)"|include "components/empty.html" with icon="([\w-]+)\"""")
FORBIDDEN = [
    r"\sstyle\s*=",
    r"<style",
    r"\son[a-z]+\s*=",
    r"javascript:",
    r"\shx-on",
    r"hx-vals=.js:",
    r"//cdn",
    r"https?://",
]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_template__any__keeps_to_the_content_security_policy(path: Path):
    text = path.read_text(encoding="utf-8")
    assert [rule for rule in FORBIDDEN if re.search(rule, text)] == []
    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", text) == []


def test_icons__named_in_templates__are_in_the_sprite():
    named = {a or b for path in TEMPLATES for a, b in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert named and {name for name in named if f'id="{name}"' not in SPRITE} == set()


def test_forms__that_post__carry_the_protection_token():
    for path in TEMPLATES:
        for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(encoding="utf-8"), re.DOTALL):
            assert "{% csrf_token %}" in form, path

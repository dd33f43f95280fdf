"""Holes in packages: what is known fails, and that nobody could be asked is said and not taken for "none"."""

import json

import pytest

from script.local import advisories

CLEAN = {"name": "django", "version": "5.2.19", "vulns": []}
HOLE = {"id": "PYSEC-2030-1", "fix_versions": ["5.2.20"], "aliases": [], "description": ""}


def _report(*packages):
    return json.dumps({"dependencies": list(packages), "fixes": []})


def test_verdict__no_hole__checked():
    assert advisories.verdict_of(_report(CLEAN)) == (True, [])


def test_verdict__a_hole__named_with_what_mends_it():
    verdict = advisories.verdict_of(_report(CLEAN, CLEAN | {"name": "celery", "vulns": [HOLE]}))
    assert verdict == (True, ["celery 5.2.19: PYSEC-2030-1, mended in 5.2.20"])


def test_verdict__a_hole_beside_a_package_that_was_left_out__still_told():
    verdict = advisories.verdict_of(_report({"name": "x", "skip_reason": "?"}, CLEAN | {"vulns": [HOLE]}))
    assert verdict.checked and len(verdict.holes) == 1


@pytest.mark.parametrize(
    "report", ["", "no JSON", "{}", "[]", _report(), _report({"name": "x", "skip_reason": "not found"})]
)
def test_verdict__no_answer__not_taken_for_none(report):
    assert advisories.verdict_of(report) == (False, [])


@pytest.mark.parametrize(
    ("verdict", "said", "code"),
    [
        (advisories.Verdict(True, []), "No hole is known", None),
        (advisories.Verdict(False, []), "NOT CHECKED", None),
        (
            advisories.Verdict(True, ["celery 1: X"]),
            "celery 1: X",
            "1 holes are known in the packages of requirements.txt.",
        ),
    ],
)
def test_main__each_verdict__said_and_only_a_hole_fails(monkeypatch, capsys, verdict, said, code):
    monkeypatch.setattr(advisories, "asked", lambda: verdict)
    if code is None:
        advisories.main()
    else:
        with pytest.raises(SystemExit) as ended:
            advisories.main()
        assert ended.value.code == code
    assert said in capsys.readouterr().out

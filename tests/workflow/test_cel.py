"""Conditions: what is refused on save and where, what falls to a person at run time, what hostile texts cost."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.utils import translation

from workflow import cel
from workflow.cel import BadCondition, Unevaluable, check, holds
from workflow.facts import declared

QUOTA = {
    "kind": "change-quota",
    "tenant": "pay",
    "environment": "prod",
    "cluster": "east-1",
    "asker.username": "wang.li",
    "asker.is_tenant_owner": True,
    "asker.is_administrator": False,
    "requested.cpu": 20_000,
    "current.cpu": 8_000,
    "delta.cpu": 12_000,
    "used.cpu": 7_500,
    "left.cpu": -2_000,
    "delta.memory": -(2**30),
    "isolation": "shared",
}


@pytest.fixture(autouse=True)
def facts_of_both_rooms():
    with override_settings(POLICY_FACTS=["workflow.facts.COMMON", "tenants.facts.QUOTA"]):
        yield


def bad(condition: str) -> BadCondition:
    with pytest.raises(BadCondition) as raised:
        check(condition)
    return raised.value


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        (" \r\n\t", True),
        ("true", True),
        ("false", False),
        ('environment == "prod" && delta.cpu > 8000', True),
        ('environment == "prod" && delta.cpu > 12000', False),
        ('environment == "prod" &&\r\n  delta.cpu > 8000 // over eight cores', True),
        ('environment in ["test", "prod"]', True),
        ('!(environment in ["test", "prod"])', False),
        ("asker.is_tenant_owner && !asker.is_administrator", True),
        ("left.cpu < 0 || left.memory < 0", True),
        ("delta.memory >= -1073741824 && delta.memory < 0", True),
        ("used.cpu * 100 / current.cpu > 90", True),
        ("used.cpu * 100 / current.cpu > 93", False),
        ("requested.cpu - current.cpu == delta.cpu", True),
        ("requested.cpu % 1000 == 0", True),
        ('tenant.startsWith("p") && cluster.endsWith("-1") && asker.username.contains(".")', True),
        ("size(tenant) == 3 && tenant.size() == 3", True),
        ('tenant + "-" + environment == "pay-prod"', True),
        ('isolation == "dedicated" ? delta.cpu > 1 : delta.cpu > 10000', True),
        ("asker.username == '王丽' || asker.username == \"wang.li\"", True),
        ('kind != "new-project"', True),
        # What is not needed may be absent, on either side.
        ('kind == "new-project" && namespaces > 3', False),
        ('namespaces > 3 && kind == "new-project"', False),
        ('kind == "change-quota" || namespaces > 3', True),
        ('kind == "change-quota" ? delta.cpu > 0 : namespaces > 3', True),
        # Neither is dividing by nothing an error where the answer is known.
        ('kind == "new-project" && delta.cpu / 0 > 1', False),
        ("!" * 1000 + "true", True),
        (" || ".join(['tenant == "x"'] * 100), False),
    ],
)
def test_condition__good__answers(condition, expected):
    check(condition)
    assert holds(condition, QUOTA) is expected


@pytest.mark.parametrize(
    ("condition", "line", "column", "words"),
    [
        # Unknown names.
        ("delta.cpux > 8", 1, 6, "no fact or function called delta.cpux"),
        ("delta > 8", 1, 1, "called delta"),
        ('environment == "prod" &&\n  owner == "x"', 2, 3, "called owner"),
        ('tenant == "租户😀" && nope', 1, 20, "called nope"),
        ("environment.name == 'x'", 1, 12, "select"),
        # Wrong types.
        ('delta.cpu > "8"', 1, 11, "> cannot be applied to (int, string)"),
        ("environment + 1", 1, 13, "+ cannot be applied to (string, int)"),
        ("delta.cpu > 1.5", 1, 11, "(int, double)"),
        ("asker.is_tenant_owner == 1", 1, 23, "(bool, int)"),
        ("delta.cpu && true", 1, 11, "&& cannot be applied to (int, bool)"),
        ('delta.cpu in ["8"]', 1, 11, "in cannot be applied to (int, list(string))"),
        ('asker.is_tenant_owner ? true : "x"', 1, 23, "?:"),
        # Not bool.
        ("environment", 1, 1, "type string"),
        ("delta.cpu - 1", 1, 1, "type int"),
        ("[true]", 1, 1, "type list"),
        ("null", 1, 1, "type null"),
        # Syntax.
        ("kind ==", 1, 8, "EOF"),
        ('kind == "x', 1, 9, "token"),
        ('kind = "x"', 1, 6, "token"),
        ("true false", 1, 6, "Syntax error"),
        ("(true", 1, 6, "EOF"),
        ("// only a remark", 1, 17, "EOF"),
        ("99999999999999999999 > delta.cpu", 1, 1, "int literal"),
        ("delta.cpu ＞ 1", 1, 11, "token"),
        # Characters that are not seen, or would build maps and messages.
        ("true\x00", 1, 5, r"'\x00'"),
        ("kind ==\n \u202e'x'", 2, 2, r"'\u202e'"),
        ("\u200btrue", 1, 1, r"'\u200b'"),
        ("kind == '\ud800'", 1, 10, r"'\ud800'"),
        ("'a' in {'a': 1}", 1, 8, "'{'"),
        ("google.protobuf.Int32Value{value: 1} == 1", 1, 27, "'{'"),
        # What goes around the types, costs, or has no fact to be applied to.
        ("dyn(1) == 'x'", 1, 4, "called dyn"),
        ("has(delta.cpu)", 1, 4, "called has"),
        ("int('8') == 8", 1, 4, "called int"),
        ("kind.matches('(a+)+$')", 1, 13, "called matches"),
        ("[1][0] == 1", 1, 4, "called []"),
        ("timestamp('x') > timestamp('y')", 1, 10, "called timestamp"),
        # Loops.
        ("[1].all(x, x > 0)", 1, 4, "loops"),
        ("true &&\n[1,2].exists (x, x > 0)", 2, 6, "exists()"),
        ("size([1].map(x, x)) > 0", 1, 9, "map()"),
        (
            "[0,1,2,3,4,5,6,7,8,9]"
            + "".join(f".all(x{n}, [0,1,2,3,4,5,6,7,8,9]" for n in range(9))
            + ".all(x, true)" * 9,
            1,
            22,
            "loops",
        ),
        # Recursion and length.
        ("(" * 900 + "true" + ")" * 900, 1, 17, "nested too deeply"),
        ("kind == '((' && \n" + "[" * 900 + "]" * 900, 2, 17, "nested too deeply"),
        ("(" * 1999, 1, 17, "nested too deeply"),
        ("!(" * 600 + "true" + ")" * 600, 1, 34, "nested too deeply"),
        ("delta.cpu + " * 100 + "1 > 0", 1, 1, "strung together"),
        ("true ? true : " * 100 + "true", 1, 1, "strung together"),
        ("true == " * 200 + "true", 1, 1, "strung together"),
        ("true && \n" + " " * 2000 + "true", 2, 1992, "at most 2000 characters, this one has 2013"),
        ("!" * 100_000 + "true", 1, 2001, "at most 2000"),
        ("(" * 1_000_000, 1, 2001, "at most 2000"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_condition__bad__is_refused_with_the_place(condition, line, column, words):
    error = bad(condition)
    assert (error.line, error.column) == (line, column), str(error)
    assert words in str(error)
    assert str(error).startswith(f"Line {line}, column {column}: ")
    with pytest.raises(Unevaluable):
        holds(condition, QUOTA)


@pytest.mark.parametrize(
    ("condition", "facts", "words"),
    [
        ("delta.cpu > 1", {}, "The fact delta.cpu is not known"),
        ('kind == "new-project" && namespaces > 3', {"kind": "new-project"}, "The fact namespaces"),
        ("delta.cpu + 1 > 0", {"delta.cpu": 2**63 - 1}, "overflow"),
        ("delta.cpu - 1 < 0", {"delta.cpu": -(2**63)}, "overflow"),
        ("-delta.cpu > 0", {"delta.cpu": -(2**63)}, "overflow"),
        ("delta.cpu * delta.cpu > 0", {"delta.cpu": 2**40}, "overflow"),
        ("delta.cpu > 0", {"delta.cpu": 2**63}, "int too big"),
        ("delta.cpu > 0", {"delta.cpu": 10**400}, "int too big"),
        ("used.cpu * 100 / current.cpu > 80", {"used.cpu": 1, "current.cpu": 0}, "divide by zero"),
        ("used.cpu % current.cpu > 80", {"used.cpu": 1, "current.cpu": 0}, "modulus by zero"),
        ("delta.cpu > 0", {"delta.cpu": "9"}, "The fact delta.cpu is not what was declared"),
        ("delta.cpu > 0", {"delta.cpu": True}, "not what was declared"),
        ("delta.cpu > 0", {"delta.cpu": 1.5}, "not what was declared"),
        ("delta.cpu > 0", {"delta.cpu": None}, "not what was declared"),
        ("asker.is_tenant_owner", {"asker.is_tenant_owner": 1}, "not what was declared"),
        # The library would read this as "prod".
        ('environment == "prod"', {"environment": "prod\0x"}, "not what was declared"),
        ('environment == "prod"', {"environment": "\ud800"}, "cannot be evaluated"),
        ('tenant + tenant == "x"', {"tenant": "x" * 10_000_000}, "not what was declared"),
    ],
)
def test_condition__no_answer_on_these_facts__falls_to_a_person(condition, facts, words):
    check(condition)
    with pytest.raises(Unevaluable) as raised:
        holds(condition, facts)
    assert words in str(raised.value)


def test_condition__a_fact_no_longer_declared__falls_to_a_person():
    check("delta.cpu > 1")
    assert holds("delta.cpu > 1", QUOTA)
    with override_settings(POLICY_FACTS=["workflow.facts.COMMON"]), pytest.raises(Unevaluable, match=r"delta\.cpu"):
        holds("delta.cpu > 1", QUOTA)
    assert holds("delta.cpu > 1", QUOTA)


def test_condition__budget_of_the_runtime__falls_to_a_person(monkeypatch):
    # Were loops let in one day, the library's own budget of iterations would still end them.
    monkeypatch.setattr(cel, "_LANGUAGE", "name: everything")
    monkeypatch.setattr(cel, "_LOOP", re.compile("(?!)"))
    cel._environment.cache_clear()
    many = "[" + ",".join("1" * 90) + "]"
    bomb = f"{many}.all(a, {many}.all(b, {many}.all(c, {many}.all(d, a == d))))"
    try:
        with pytest.raises(Unevaluable, match="budget"):
            holds(bomb, QUOTA)
    finally:
        cel._environment.cache_clear()
        cel._program.cache_clear()


def test_facts__undeclared__are_passed_over():
    assert holds('kind == "x"', {"kind": "x", "plan": object()})


def test_facts__every_declared_one__can_be_asked_for():
    literal = {str: '""', int: "0", bool: "true"}
    facts = declared()
    assert {"kind", "asker.is_service_account", "left.pods", "groups.added"} <= facts.keys()
    for name, fact in facts.items():
        assert str(fact.label)
        condition = f"{name} == {literal[fact.type]}"
        check(condition)
        assert holds(condition, {name: fact.type()}) is (fact.type is not bool)


def test_facts__declared_twice__is_a_mistake_of_the_settings():
    with (
        override_settings(POLICY_FACTS=[*settings.POLICY_FACTS, "workflow.facts.COMMON"]),
        pytest.raises(ImproperlyConfigured, match=r"asker\.username"),
    ):
        declared()


def test_error__same_condition_in_another_language__is_not_kept():
    english = str(bad("delta.cpux > 8"))
    with translation.override("zh-hans"):
        again = bad("delta.cpux > 8")
    assert (again.line, again.column) == (1, 6)
    assert str(bad("delta.cpux > 8")) == english


def test_threads__same_and_other_conditions_at_once__each_gets_its_answer():
    cel._environment.cache_clear()
    cel._program.cache_clear()

    def ask(number: int) -> bool:
        return holds(f"delta.cpu > {number % 40}", {"delta.cpu": number % 60}) is (number % 60 > number % 40)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(4000)))


HOSTILE = """
import resource, sys, threading
from cel_expr_python import cel
from workflow import cel as ours
source = eval(sys.argv[1])
environment = cel.NewEnv(config=cel.NewEnvConfigFromYaml(ours._LANGUAGE), variables={"b": cel.Type.BOOL})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def run():
    try:
        environment.compile(source).eval(data={"b": True})
        print("taken", end=" ")
    except RuntimeError as error:
        print("refused", end=" ")
threading.stack_size(256 * 1024)
thread = threading.Thread(target=run)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize(
    "source",
    [
        "'(' * {n} + 'b' + ')' * {n}",
        "'(' * {n}",
        "'[' * {n} + ']' * {n}",
        "'!' * {n} + 'b'",
        "'-' * {n} + '1 == 1'",
        "'b && ' * {n} + 'b'",
        "'b == ' * {n} + 'b'",
        "'b ? b : ' * {n} + 'b'",
        "'b' + '.a' * {n}",
        "'size(' * {n} + 'b' + ')' * {n}",
        "'@ ' * {n}",
        "'x || ' * {n} + 'x'",
    ],
)
def test_library__hostile_sizes_on_a_small_stack__ends_without_a_crash(source):
    # Beyond our own limit of 2000 characters: the library itself, which has no place for errors such as a full stack.
    for size in (990, 15_000, 1_000_000):
        done = subprocess.run(
            [sys.executable, "-c", HOSTILE, source.format(n=size)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (size, done.returncode, done.stderr[-500:])
        outcome, kilobytes = done.stdout.split()
        assert outcome in ("taken", "refused")
        assert int(kilobytes) < 200_000

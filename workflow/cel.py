"""Conditions of policies in CEL: checked against the declared facts, evaluated on a request's facts."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from django.conf import settings
from django.utils.translation import gettext as _

from workflow.facts import declared

# Of a condition, and of a text among the facts; in characters.
LENGTH = 2000

_TYPES = {str: cel.Type.STRING, int: cel.Type.INT, bool: cel.Type.BOOL}

# What there is of CEL's standard library. No macros: without them there are no loops, so what a condition costs is
# bounded by its length and known on save (the runtime's own budget of iterations stays on behind that). No dyn() and
# no conversions, which would go around the types; no matches(), no times.
_LANGUAGE = "stdlib:\n  disable_macros: true\n  include_functions:\n" + "".join(
    f'    - name: "{name}"\n'
    for name in (
        *("_&&_", "_||_", "!_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"),
        *("_+_", "_-_", "_*_", "_/_", "_%_", "-_", "startsWith", "endsWith", "contains", "size"),
    )
)

_ERROR = re.compile(r"INVALID_ARGUMENT: ERROR: <input>:(\d+):(\d+): (.*?)(?: \(in container ''\))?(?: \[\w+\])?$", re.M)
_UNDECLARED = re.compile(r"undeclared reference to '(.+)'")
_OVERLOAD = re.compile(r"found no matching overload for '(.+)' applied to '(.+)'")
_MISSING = re.compile(r'No value with name "(.+)" found')
_STRING = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'")
_LOOP = re.compile(r"\.\s*(all|exists|exists_one|existsOne|map|filter)\s*\(")
# Brackets deeper than this are where to look when the library (its limit is 32 rules deep) finds the nesting too deep.
_DEEP = 16


class BadCondition(ValueError):
    """The text is no condition over the declared facts; says why in a sentence that names the place (1-based)."""

    def __init__(self, problem: str, line: int = 1, column: int = 1) -> None:
        place = {"line": line, "column": column, "problem": problem}
        super().__init__(_("Line %(line)d, column %(column)d: %(problem)s") % place)
        self.line = line
        self.column = column


class Unevaluable(Exception):
    """The condition has no answer on these facts; says why in a sentence. A person has to decide."""


def check(condition: str) -> None:
    """Raises BadCondition unless the text is a condition over the declared facts; an empty one means "always"."""
    if condition.strip():
        _program(condition, tuple(settings.POLICY_FACTS))


def holds(condition: str, facts: Mapping[str, str | int | bool]) -> bool:
    """Whether the condition is true of these facts, by their dotted names; raises Unevaluable.

    A fact that is absent matters only where CEL needs it: `kind == "x" && delta.cpu > 1` is false for another kind.
    Facts nobody declared are passed over.
    """
    if not condition.strip():
        return True
    try:
        program = _program(condition, tuple(settings.POLICY_FACTS))
    except BadCondition as error:
        # Saved when other facts were declared.
        raise Unevaluable(str(error)) from error
    try:
        value = program.eval(data=_typed(facts))
        is_bool, plain = value.type() == cel.Type.BOOL, value.plain_value()
    except Exception as error:  # whatever it is: a policy in doubt means a person
        raise Unevaluable(_why(str(error))) from error
    if not is_bool:
        # Errors of an evaluation are values; their plain value is the library's message.
        raise Unevaluable(_why(str(plain)))
    return bool(plain)


@lru_cache(maxsize=8)
def _environment(sources: tuple[str, ...]) -> Any:
    # Keyed by settings.POLICY_FACTS, of which there is one outside tests. Threads: the library (0.1.3) holds the GIL
    # throughout compile and eval, and a compiled expression keeps nothing of an evaluation, so environments and
    # expressions are shared by all threads. Tried with eight of them.
    variables = {name: _TYPES[fact.type] for name, fact in declared().items()}
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(_LANGUAGE), variables=variables)


@lru_cache(maxsize=512)
def _program(condition: str, sources: tuple[str, ...]) -> Any:
    # Before the library sees it; its own limits are 100000 characters and 32 rules deep.
    if len(condition) > LENGTH:
        raise BadCondition(
            _("A condition has at most %(limit)d characters, this one has %(length)d.")
            % {"limit": LENGTH, "length": len(condition)},
            *_place(condition, LENGTH),
        )
    for at, char in enumerate(condition):
        # Braces would build maps and protobuf messages, which no fact is.
        if char in "{}" or not (char.isprintable() or char in "\r\n\t"):
            raise BadCondition(
                _("The character %(char)s has no place in a condition.") % {"char": ascii(char)}, *_place(condition, at)
            )
    environment = _environment(sources)
    try:
        program = environment.compile(condition)
    except Exception as error:  # RuntimeError mostly, but nothing says so
        raise _bad(condition, str(error)) from error
    if program.return_type() != cel.Type.BOOL:
        raise BadCondition(
            _("A condition has to be true or false, this one is of type %(type)s.")
            % {"type": program.return_type().name().lower()}
        )
    return program


def _typed(facts: Mapping[str, str | int | bool]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name, fact in declared().items():
        if name not in facts:
            continue
        value = facts[name]
        # The library would take True for 1, and a text only up to its first NUL; long texts would add up.
        fits = isinstance(value, fact.type) and isinstance(value, bool) == (fact.type is bool)
        if not fits or (isinstance(value, str) and ("\0" in value or len(value) > LENGTH)):
            raise Unevaluable(_("The fact %(name)s is not what was declared.") % {"name": name})
        typed[name] = value
    return typed


def _bad(condition: str, message: str) -> BadCondition:
    code = _STRING.sub(lambda text: " " * len(text[0]), condition)
    if loop := _LOOP.search(code):
        problem = _("Conditions have no loops, such as %(name)s().") % {"name": loop[1]}
        return BadCondition(problem, *_place(condition, loop.start()))
    found = _ERROR.match(message)
    if not found and "recursion" in message:
        # The library names no place for this.
        problem = _("The condition is nested too deeply, or too many terms are strung together without brackets.")
        return BadCondition(problem, *_place(condition, _first_deep(code)))
    if not found:
        return BadCondition(_("The condition cannot be read: %(message)s") % {"message": message.split("\n")[0]})
    return BadCondition(_problem(found[3]), int(found[1]), int(found[2]))


def _problem(message: str) -> str:
    if undeclared := _UNDECLARED.match(message):
        return _("There is no fact or function called %(name)s.") % {"name": undeclared[1].replace("_[_]", "[]")}
    if overload := _OVERLOAD.match(message):
        # The library writes an operator as _>_ or @in.
        words = {"operator": overload[1].replace("_", "").lstrip("@"), "types": overload[2]}
        return _("%(operator)s cannot be applied to %(types)s.") % words
    return _("The condition cannot be read: %(message)s") % {"message": message}


def _why(message: str) -> str:
    if missing := _MISSING.search(message):
        return _("The fact %(name)s is not known for this request.") % {"name": missing[1]}
    return _("The condition cannot be evaluated: %(message)s") % {"message": message.split("\n")[0]}


def _first_deep(code: str) -> int:
    depth = 0
    for at, char in enumerate(code):
        depth += (char in "([") - (char in ")]")
        if depth > _DEEP:
            return at
    return 0


def _place(condition: str, at: int) -> tuple[int, int]:
    before = condition[:at]
    return before.count("\n") + 1, at - before.rfind("\n")

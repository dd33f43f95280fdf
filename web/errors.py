"""The errors a use case may raise towards a person; each carries a sentence for the user."""

from collections.abc import Mapping


class UserError(Exception):
    """Base of what a person or client did that cannot be done; `status` is the HTTP status it becomes, `headers` what
    else a program is told."""

    status = 400
    code = "error"
    headers: Mapping[str, str] = {}

    def __init__(self, sentence: str, **context: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.context = context


class Forbidden(UserError):
    """The person may know of the thing but not do this with it."""

    status = 403
    code = "forbidden"


class NotFound(UserError):
    """There is no such thing, or the person may not know of it."""

    status = 404
    code = "not-found"


class Conflict(UserError):
    """The thing is not in a state in which this can be done."""

    status = 409
    code = "conflict"


class Invalid(UserError):
    """What was asked for is not valid; `fields` maps JSON pointers ("/quota/cpu") to sentences."""

    status = 422
    code = "invalid"

    def __init__(self, sentence: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.fields = dict(fields or {})

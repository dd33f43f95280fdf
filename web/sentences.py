"""Sentences that are kept before it is known who reads them, and translated when they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import translation

# Of all parameters of a stored sentence together; servers can be wordy.
LONGEST = 1000


@dataclass(frozen=True)
class Sentence:
    """An English text, marked by gettext_noop where it is written, and what its %(name)s placeholders stand for.

    What a server said is a parameter and stays as it is; a parameter that is a Sentence is translated with the rest.
    """

    text: str
    parameters: Mapping[str, "str | int | Sentence"] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """In the active language; in English where its translation has other placeholders."""
        words = {name: str(value) if isinstance(value, Sentence) else value for name, value in self.parameters.items()}
        # gettext answers the catalogue's header for "".
        for text in (translation.gettext(self.text) if self.text else "", self.text):
            try:
                return text % words
            except (KeyError, TypeError, ValueError):
                continue
        return self.text

    @property
    def english(self) -> str:
        """As it was written, for logs and tracebacks."""
        with translation.override(None):
            return str(self)

    def stored(self) -> dict[str, Any]:
        """As JSON for a database: {"text": str, "parameters": {name: str, int or such a dict}}.

        The texts in the parameters together are cut to LONGEST characters, and lose what PostgreSQL refuses.
        """
        return self._kept(LONGEST)[0]

    def _kept(self, room: int) -> tuple[dict[str, Any], int]:
        """As JSON within `room` characters, and how many of them are left."""
        parameters: dict[str, Any] = {}
        for name, value in self.parameters.items():
            if isinstance(value, Sentence):
                parameters[name], room = value._kept(room)
            elif isinstance(value, str):
                parameters[name] = _cut(_storable(value), room)
                room -= len(parameters[name])
            else:
                parameters[name] = value
        return {"text": self.text, "parameters": parameters}, room


def shown(stored: object) -> str:
    """What `Sentence.stored` made, in the active language; "" for None and for anything it cannot have made."""
    sentence = restored(stored)
    return "" if sentence is None else str(sentence)


def restored(stored: object) -> Sentence | None:
    """The sentence that `Sentence.stored` made, to be a part of another one; None for anything else."""
    if not isinstance(stored, dict) or not isinstance(stored.get("text"), str):
        return None
    parameters = stored.get("parameters")
    if not isinstance(parameters, dict):
        return Sentence(stored["text"])
    return Sentence(stored["text"], {name: _parameter(value) for name, value in parameters.items()})


def _parameter(value: object) -> str | int | Sentence:
    return value if isinstance(value, str | int) else restored(value) or ""


def _storable(text: str) -> str:
    """Without NUL and halves of surrogate pairs, which PostgreSQL's jsonb refuses."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…" if room > 0 else ""

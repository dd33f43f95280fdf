"""What somebody typed into a search box, as words and as a condition on texts."""

import re
import unicodedata

from django.db.models import Q

from web.filters import LONGEST

# More words than this nobody means; each costs a look at every text.
MOST_WORDS = 5
_NUMBER = re.compile("#?([0-9]{1,15})", re.ASCII)


def words_of(text: str) -> list[str]:
    """The words to look for, [] where there are none: too long, too many, or with what no text of ours can hold.

    Wide letters and digits, as Chinese keyboards type them, are looked for as plain ones.
    """
    if len(text) > LONGEST:
        return []
    words = unicodedata.normalize("NFKC", text).split()
    return words if len(words) <= MOST_WORDS and all(word.isprintable() for word in words) else []


def matching(words: list[str], *fields: str) -> Q:
    """That each word is somewhere in one of the fields, upper and lower case alike."""
    found = Q()
    for word in words:
        anywhere = Q()
        for field in fields:
            anywhere |= Q((f"{field}__icontains", word))
        found &= anywhere
    return found


def number_in(words: list[str]) -> int | None:
    """The number that is searched for ("12", "#12"), if it is one alone."""
    found = _NUMBER.fullmatch(words[0]) if len(words) == 1 else None
    return int(found[1]) if found else None

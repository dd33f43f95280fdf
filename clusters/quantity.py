"""Kubernetes quantities ("500m", "1.5", "8Gi") read exactly and written in Kubernetes' own form; no floats."""

import re
from decimal import Decimal, localcontext

from django.utils.translation import gettext as _
from kubernetes.utils.quantity import parse_quantity

# The library's parser also takes NaN, Infinity, 1_000, digits of other scripts and 1e999999999999, so this comes first.
_GRAMMAR = re.compile(r"[0-9]+(\.[0-9]+)?([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?")
_LONGEST = 24
# What a Kubernetes quantity and a bigint column can hold.
_LARGEST = 2**63 - 1
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")


def parse(text: str) -> Decimal:
    """The exact value of a quantity that is not negative and at most 2**63-1, in its base unit (cores, bytes, pieces).

    Raises ValueError with a sentence for the person who typed it.
    """
    if len(text) > _LONGEST:
        raise ValueError(_("A quantity has at most %(count)d characters.") % {"count": _LONGEST})
    if not _GRAMMAR.fullmatch(text):
        raise ValueError(
            _('"%(text)s" is not a quantity; write a number with a unit, such as 500m, 1.5 or 8Gi.')
            % {"text": text.encode("unicode_escape").decode("ascii")}
        )
    # 24 digits times 1024**6 (19 digits) or 10**99 stay exact only with more digits than the usual 28.
    with localcontext(prec=150):
        value: Decimal = parse_quantity(text)
        if value > _LARGEST:
            raise ValueError(_("%(text)s is too large.") % {"text": text})
    return value


def millicores(text: str) -> int:
    """CPU in thousandths of a core: "1.5" is 1500. Raises ValueError for less than a thousandth and as `parse` does."""
    with localcontext(prec=150):
        return _whole(parse(text) * 1000, text, _("%(text)s cores is finer than a thousandth of a core (1m)."))


def bytes_of(text: str) -> int:
    """Memory or storage in bytes: "8Gi" is 8589934592. Raises ValueError for parts of a byte and as `parse` does."""
    return _whole(parse(text), text, _("%(text)s is not a whole number of bytes; did you mean Mi or Gi?"))


def format_cpu(amount: int) -> str:
    """Millicores as Kubernetes writes them: 1500 is "1500m", 2000 is "2". Raises ValueError for less than nothing."""
    if amount % 1000:
        return f"{_not_negative(amount)}m"
    return _scaled(_not_negative(amount) // 1000, 1000, _DECIMAL)


def format_bytes(amount: int) -> str:
    """Bytes as Kubernetes writes them: 8589934592 is "8Gi". Raises ValueError for less than nothing."""
    return _scaled(_not_negative(amount), 1024, _BINARY)


def _whole(value: Decimal, text: str, sentence: str) -> int:
    if value != value.to_integral_value():
        raise ValueError(sentence % {"text": text})
    if value > _LARGEST:
        raise ValueError(_("%(text)s is too large.") % {"text": text})
    return int(value)


def _not_negative(amount: int) -> int:
    if amount < 0:
        raise ValueError(_("A quantity cannot be negative."))
    return amount


def _scaled(amount: int, base: int, suffixes: tuple[str, ...]) -> str:
    """The amount with the largest suffix that leaves a whole number, which is Kubernetes' canonical form."""
    step = 0
    while amount and amount % base == 0 and step < len(suffixes) - 1:
        amount //= base
        step += 1
    return f"{amount}{suffixes[step]}"

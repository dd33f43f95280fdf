"""Quantities: exact, canonical, and nothing that only looks like a number gets in."""

from decimal import Decimal

import pytest

from clusters import quantity

HOSTILE = [
    "",
    " ",
    " 1",
    "1 ",
    "1\n",
    "1 Gi",
    "1e9999",
    "1e999999999999",
    "1e99",
    "NaN",
    "nan",
    "Infinity",
    "-Infinity",
    "inf",
    "-1",
    "+1",
    "--1",
    "1.5.5",
    "1.",
    ".5",
    "1,5",
    "1_000",
    "0x10",
    "1/2",
    "\u0661\u0662",
    "\uff11\uff12",
    "1\u00b2",
    "1\x00",
    "\x001",
    "1ki",
    "1Kii",
    "1KiB",
    "1GB",
    "Gi",
    "m",
    "1mm",
    "9" * 24,
    "9" * 25,
    "9" * 100_000,
    "8Ei",
    "9223372036854775808",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_parse__hostile_text__refused_with_a_sentence(text: str) -> None:
    for reader in (quantity.parse, quantity.millicores, quantity.bytes_of):
        with pytest.raises(ValueError, match=r"[.?]$") as caught:
            reader(text)
        assert len(str(caught.value)) < 200
        assert "\x00" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("1.5", "1.5"),
        ("500m", "0.5"),
        ("1u", "0.000001"),
        ("1n", "0.000000001"),
        ("2k", "2000"),
        ("2Ki", "2048"),
        ("1.5Gi", "1610612736"),
        ("1e3", "1000"),
        ("7Ei", str(7 * 1024**6)),
        ("9223372036854775807", "9223372036854775807"),
        ("0.1", "0.1"),
    ],
)
def test_parse__valid_text__exact_value(text: str, value: str) -> None:
    assert quantity.parse(text) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "amount"), [("0", 0), ("1.5", 1500), ("100m", 100), ("2", 2000), ("2k", 2_000_000), ("0.001", 1)]
)
def test_millicores__valid_text__thousandths(text: str, amount: int) -> None:
    assert quantity.millicores(text) == amount


@pytest.mark.parametrize("text", ["0.0001", "1.5m", "1u", "9223372036854775807"])
def test_millicores__too_fine_or_too_large__refused(text: str) -> None:
    with pytest.raises(ValueError):
        quantity.millicores(text)


@pytest.mark.parametrize("text", ["100m", "0.5", "1.0001Ki"])
def test_bytes_of__part_of_a_byte__refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number of bytes"):
        quantity.bytes_of(text)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (1, "1m"), (1500, "1500m"), (2000, "2"), (1_500_000, "1500"), (2_000_000, "2k")],
)
def test_format_cpu__any_amount__canonical_and_back(amount: int, text: str) -> None:
    assert quantity.format_cpu(amount) == text
    assert quantity.millicores(text) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (1000, "1000"),
        (1024, "1Ki"),
        (1536 * 1024**2, "1536Mi"),
        (8 * 1024**3, "8Gi"),
        (7 * 1024**6, "7Ei"),
        (2**63 - 1, "9223372036854775807"),
    ],
)
def test_format_bytes__any_amount__canonical_and_back(amount: int, text: str) -> None:
    assert quantity.format_bytes(amount) == text
    assert quantity.bytes_of(text) == amount


def test_format__negative__refused() -> None:
    for writer in (quantity.format_cpu, quantity.format_bytes):
        for amount in (-1, -1000, -1024):
            with pytest.raises(ValueError):
                writer(amount)

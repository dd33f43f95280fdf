"""API tokens as text."""

import pytest

from accounts import tokens


def test_new_token__twice__different_and_readable() -> None:
    (prefix, text), (other_prefix, other_text) = tokens.new_token(), tokens.new_token()
    assert prefix != other_prefix
    assert text != other_text
    assert text.startswith(f"cp_{prefix}_")
    assert tokens.prefix_of(text) == prefix


@pytest.mark.parametrize(
    "text", ["", "cp", "cp_", "cp_abc", "cp_abc_", "xx_abc_def", "cp__def", "cp_a'b_def", "cp_" + "a" * 17 + "_b"]
)
def test_prefix_of__not_a_token__none(text: str) -> None:
    assert tokens.prefix_of(text) is None


def test_digest_of__other_pepper__other_digest() -> None:
    assert tokens.digest_of("cp_a_b", "one") != tokens.digest_of("cp_a_b", "two")
    assert len(tokens.digest_of("cp_a_b", "one")) == 64

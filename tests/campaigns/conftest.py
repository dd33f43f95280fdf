"""How much of a campaign runs: a seeded few percent, or all of it with CAMPAIGN=full (script/campaign)."""

import os
import random

import pytest

SEED = 20_261_123


@pytest.fixture
def is_full() -> bool:
    """Whether the whole campaign was asked for."""
    return os.environ.get("CAMPAIGN", "") == "full"


@pytest.fixture
def dice() -> random.Random:
    """The same numbers in every run, unless CAMPAIGN_SEED says otherwise."""
    return random.Random(int(os.environ.get("CAMPAIGN_SEED", SEED)))

"""What may be typed for a content hash."""

import pytest

from orchestration.batch_actions import full_hash
from orchestration.cli_common import CommandError

HASHES = {
    "b-1": "aaaaaaaaaaaa1111" + "0" * 48,
    "b-2": "aaaaaaaaaaaa2222" + "0" * 48,
    "b-3": "cccccccccccc3333" + "0" * 48,
}


@pytest.mark.parametrize(
    "given", [HASHES["b-3"], "cccccccccccc", "CCCCCCCCCCCC33", " cccccccccccc "]
)
def test_full_hash_unique_beginning_is_completed(given):
    assert full_hash(given, "b-3", HASHES) == HASHES["b-3"]


@pytest.mark.parametrize(
    ("given", "batch_id"),
    [
        ("ccccccccccc", "b-3"),
        ("", "b-3"),
        ("not-hex-at-all", "b-3"),
        ("aaaaaaaaaaaa", "b-1"),
        ("aaaaaaaaaaaa2222", "b-1"),
        ("dddddddddddd", "b-3"),
    ],
)
def test_full_hash_short_ambiguous_or_other_is_refused(given, batch_id):
    with pytest.raises(CommandError):
        full_hash(given, batch_id, HASHES)


def test_full_hash_longer_beginning_tells_two_batches_apart():
    assert full_hash("aaaaaaaaaaaa11", "b-1", HASHES) == HASHES["b-1"]

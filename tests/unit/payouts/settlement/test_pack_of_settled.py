"""The evidence pack of a settled batch: outcomes, the files that said so, and the match."""

import json
from dataclasses import replace

from bank_files import status_csv
from pack_world import packed
from payout_world import CAT

from payouts.pack_checks import check_pack
from payouts.pack_file import json_member, pack, read_pack


def _settled(exported):
    rows = [
        (exported.payouts["p_1"], "settled", 15000, "USD", "2026-03-16", "", "BANK-1"),
        (exported.payouts["p_2"], "failed", 7000, "USD", "2026-03-16", "AC01", "BANK-2"),
    ]
    exported.sent(actor=CAT)
    exported.read(status_csv(*rows), "statement of DE89370400440532013000.csv")
    return packed(exported.world, exported.batch)


def test_outcomes_and_match_are_in_it_and_no_name_of_a_bank_file(exported):
    content = _settled(exported)
    members, faults = read_pack(content)
    assert (faults, check_pack(content)) == ([], [])
    settlement = json.loads(members["settlement.json"])
    assert {each["payout_id"]: each["outcome"] for each in settlement["outcomes"]} == {
        exported.payouts["p_1"]: "settled", exported.payouts["p_2"]: "failed",
    }  # fmt: skip
    assert sorted(settlement["states"].values()) == ["failed", "sent", "settled"]
    (file,) = settlement["files"]
    assert "file_name" not in file and len(file["file_sha256"]) == 64
    match = settlement["match"]
    assert (match["settled_amount_minor"], match["failed_amount_minor"]) == (15000, 7000)
    assert (match["open_amount_minor"], match["as_of"]) == (6000, "2026-03-20")
    assert b"DE89" not in content and b"Partner 0" not in content
    assert packed(exported.world, exported.batch) == content


def test_a_changed_outcome_is_not_what_its_event_says(exported):
    members, _ = read_pack(_settled(exported))
    settlement = json.loads(members["settlement.json"])
    settlement["outcomes"][0]["amount_minor"] = 1
    for outcomes in (settlement["outcomes"], settlement["outcomes"][1:], []):
        changed = json_member({**settlement, "outcomes": outcomes})
        (fault,) = check_pack(pack("b", {**members, "settlement.json": changed}))
        assert "are not those of event" in fault


def test_terms_of_another_version_are_named_by_their_hash_alone(exported):
    from pack_world import TERMS

    later = packed(exported.world, exported.batch, terms=replace(TERMS, terms_hash="u" * 64))
    assert "program.yml" not in read_pack(later)[0] and check_pack(later) == []

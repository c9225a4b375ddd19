"""Evidence packs: what is in them, that they are the same every time, and that tampering shows."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import pytest
from pack_world import PROGRAM, TERMS, exported, packed, usd_batch
from payout_world import ANA, BEN, CLOCK, DAN, payable_world

from payouts import events
from payouts.claims import claims_path
from payouts.errors import BatchNotFoundError, ChainBrokenError
from payouts.evidence_pack import evidence_pack
from payouts.hashing import sha256_bytes, sha256_text
from payouts.pack_checks import check_against_home, check_pack
from payouts.pack_file import json_member, pack, read_pack

ALWAYS = {
    "access.json", "approvals.json", "audit_chain.json", "checks.json", "claims.parquet",
    "events.jsonl", "export.json", "left_out.json", "manifest.json", "settlement.json",
    "terms.json",
}  # fmt: skip


def _members(content):
    members, faults = read_pack(content)
    assert faults == []
    return members


def _record(content, name):
    return json.loads(_members(content)[name])


def _repacked(content, **changed):
    """A pack whose index was adapted to changed members: by name, without the ending."""
    members = _members(content)
    names = {name.partition(".")[0]: name for name in members}
    for stem, change in changed.items():
        name = names[stem]
        members[name] = change(members[name]) if callable(change) else change
    return pack("b", members)


def _json_change(change):
    def changed(content):
        record = json.loads(content)
        change(record)
        return json_member(record)

    return changed


@pytest.fixture(scope="module")
def exported_pack(tmp_path_factory) -> bytes:
    """The pack of an exported batch."""
    world = payable_world(tmp_path_factory.mktemp("pack") / "home")
    return packed(world, exported(world))


def test_a_proposed_batch_has_everything_but_an_export(payable):
    payable.partner("p_2", status="paused")
    batch = usd_batch(payable)
    content = packed(payable, batch)
    assert _members(content).keys() == ALWAYS | {"program.yml"}
    manifest = _record(content, "manifest.json")
    assert (manifest["content_hash"], manifest["state"], manifest["maker"]) == (
        batch.content_hash, "proposed", "system:night",
    )  # fmt: skip
    assert (manifest["total_amount_minor"], manifest["payouts"], manifest["entries"]) == (
        15000, 1, 2,
    )  # fmt: skip
    assert manifest["gates"]["names"] == list(TERMS.gates)
    assert manifest["gates"]["at_proposal"] == {"passed": 1, "left_out": {}}
    assert manifest["gates"]["at_export"] is None
    assert _record(content, "export.json") is None
    assert _record(content, "settlement.json")["match"] is None
    assert check_pack(content) == []


def test_an_exported_batch_shows_who_agreed_what_left_and_the_match(payable):
    batch = exported(payable)
    content = packed(payable, batch)
    approvals = _record(content, "approvals.json")
    given = approvals["given"]
    assert [(each["actor"], each["role"]) for each in given] == [
        (ANA, "partnerships"), (BEN, "finance"),
    ]  # fmt: skip
    assert {each["identity_level"] for each in given} == {"os_user"}
    assert approvals["counting_events"] == [each["event"] for each in given]
    record = _record(content, "export.json")
    manifest = _members(content)["export_manifest.json"]
    assert record["manifest_sha256"] == sha256_bytes(manifest)
    assert json.loads(manifest)["content_hash"] == batch.content_hash
    (file,) = record["files"]
    path = payable.home / file["file_path"]
    assert file["file_sha256"] == sha256_bytes(path.read_bytes())
    assert path.read_bytes() not in content
    settlement = _record(content, "settlement.json")
    assert set(settlement["states"].values()) == {"exported"}
    match = settlement["match"]
    assert (match["earned_total_minor"], match["batch_total_minor"], match["is_matched"]) == (
        15000, 15000, False,
    )  # fmt: skip
    assert _record(content, "manifest.json")["gates"]["at_export"]["passed"] == 1
    checks = {each["check"]: each["ok"] for each in _record(content, "checks.json")}
    assert checks["event_chain"] and checks["exports"]
    with payable.store.read() as connection:
        head = events.head(connection)
    assert _record(content, "audit_chain.json") == {"event": head.seq, "hash": head.hash}
    assert check_pack(content) == []


def test_who_is_left_out_is_named_with_amount_and_reason(payable):
    from payout_world import entry

    payable.partner("p_2", name="Zed Agency")
    payable.desire(entry("il_9", 2500, partner_id="p_2"))
    payable.post()
    batch = usd_batch(payable)
    left_out = _record(packed(payable, batch), "left_out.json")
    (partner,) = left_out["partners"]
    assert (partner["partner_id"], partner["amount_minor"]) == ("p_2", 2500)
    assert _record(packed(payable, batch), "manifest.json")["gates"]["at_proposal"] == {
        "passed": 1, "left_out": {partner["reason"]: 1},
    }  # fmt: skip


def test_partners_stand_in_it_by_id_alone(payable):
    content = packed(payable, exported(payable))
    members = _members(content)
    assert b"p_1" in members["manifest.json"]
    for name, member in members.items():
        assert b"Agency One" not in member, name
        assert str(payable.home).encode() not in member, name


def test_the_same_state_gives_the_same_bytes(payable):
    batch = exported(payable)
    first = packed(payable, batch)
    assert packed(payable, batch) == first
    with payable.store.write() as connection:
        events.append(connection, kind="x", subject="y:z", actor="a", recorded_at=CLOCK)
    assert packed(payable, batch) != first  # the head of the chain moved


def test_terms_that_changed_are_not_packed(payable):
    batch = usd_batch(payable)
    known = packed(payable, batch)
    assert _members(known)["program.yml"] == PROGRAM
    assert _record(known, "access.json")["roles"]["finance"] == ["ben@acme.example"]
    later = packed(payable, batch, terms=replace(TERMS, terms_hash="u" * 64))
    assert "program.yml" not in _members(later)
    assert _record(later, "terms.json")["terms_hash"] == TERMS.terms_hash
    assert _record(later, "access.json")["roles"] is None
    assert _record(later, "manifest.json")["gates"]["names"] is None
    assert check_pack(later) == []


def test_revoked_approvals_stay_in_it_and_do_not_count(payable):
    from payouts.approvals import revoke

    batch = usd_batch(payable)
    payable.approve(batch, ANA, "partnerships")
    revoke(payable.store, batch.batch_id, actor=ANA, recorded_at=CLOCK, reason="wrong")
    payable.approve(batch, ANA, "partnerships")
    approvals = _record(packed(payable, batch), "approvals.json")
    assert [each["round"] for each in approvals["given"]] == [1, 2]
    assert approvals["counting_events"] == [approvals["given"][1]["event"]]


def test_tampering_with_any_member_is_found(exported_pack):
    content = exported_pack
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
    assert names == sorted([*ALWAYS, "export_manifest.json", "index.json", "program.yml"])
    for name in names:
        for change in (lambda old: old + b" ", lambda old: old[:-1], lambda old: b""):
            faults = check_pack(_rewritten(content, name, change))
            assert faults, name
            assert name in faults[0] or name == "index.json"
        assert any(name in fault for fault in check_pack(_without(content, name))), name


def _rewritten(content, changed, change):
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for entry in old.infolist():
            member = old.read(entry)
            new.writestr(entry, change(member) if entry.filename == changed else member)
    return stream.getvalue()


def _without(content, removed):
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for entry in old.infolist():
            if entry.filename != removed:
                new.writestr(entry, old.read(entry))
    return stream.getvalue()


def test_every_changed_byte_is_found(payable):
    content = packed(payable, usd_batch(payable))
    for place in range(0, len(content), 97):
        changed = bytearray(content)
        changed[place] ^= 0x21
        assert check_pack(bytes(changed)), place


def test_what_is_no_pack_or_hides_something_is_one_fault(payable):
    content = packed(payable, usd_batch(payable))
    assert len(check_pack(b"")) == len(check_pack(b"PK not a zip")) == 1
    assert check_pack(content + b"x") and check_pack(b"x" + content)
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("more.txt", b"x")
    assert check_pack(stream.getvalue()) == ["more.txt was added"]
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning):
        archive.writestr("manifest.json", b"{}")
    assert "twice" in check_pack(stream.getvalue())[0]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.json", b"0" * 1000)
    assert "compressed" in check_pack(stream.getvalue())[0]


def _set(path, value):
    def change(record):
        for name in path[:-1]:
            record = record[name]
        record[path[-1]] = value

    return _json_change(change)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"manifest": _set(["content_hash"], "0" * 64)}, "content_hash of the manifest"),
        ({"manifest": _set(["total_amount_minor"], 1)}, "total_amount_minor of the manifest"),
        ({"manifest": _set(["items", 0, "amount_minor"], 1)}, "do not add up"),
        ({"manifest": _set(["items"], [])}, "do not add up"),
        ({"manifest": _set(["terms_hash"], "x")}, "different terms"),
        ({"claims": b"PAR1"}, "claims.parquet is not what was proposed"),
        ({"approvals": _set(["given", 0, "actor"], DAN)}, "not what the events say"),
        ({"approvals": _set(["given", 0, "identity_level"], "oidc")}, "not what the events say"),
        ({"approvals": _set(["given"], [])}, "not what the events say"),
        ({"approvals": _set(["counting_events"], [99])}, "not what the events say"),
        ({"approvals": _set(["maker"], DAN)}, "another content or maker"),
        ({"export": _set(["files", 0, "file_sha256"], "0")}, "not those that were exported"),
        ({"export": _set(["segment"], 9)}, "export.json is not what was exported"),
        ({"export": b"null\n"}, "export is missing"),
        ({"export_manifest": b"{}"}, "export_manifest.json is not"),
        ({"program": b"other: 1\n"}, "not the file that terms.json names"),
        ({"settlement": _set(["outcomes"], [{"seq": 1}])}, "form"),
        ({"audit_chain": _set(["event"], 1)}, "older than the batch's last event"),
        ({"manifest": b"[]\n"}, "form"),
        ({"events": b""}, "form"),
    ],
)  # fmt: skip
def test_a_member_that_was_changed_with_its_index_contradicts_the_events(
    exported_pack, changed, message
):
    faults = check_pack(_repacked(exported_pack, **changed))
    assert any(message in fault for fault in faults), faults


def test_a_changed_event_does_not_have_its_hash(exported_pack):
    content = exported_pack

    def forged(lines):
        rows = [json.loads(line) for line in lines.splitlines()]
        rows[1]["actor"] = DAN
        return b"".join(json_member(row) for row in rows)

    faults = check_pack(_repacked(content, events=forged))
    assert "event" in faults[0] and "does not match its hash" in faults[0]


def test_a_pack_that_was_forged_throughout_is_not_in_the_chain(payable):
    content = packed(payable, exported(payable))
    with payable.store.read() as connection:
        assert check_against_home(connection, content) == []

    def forged(lines):
        rows = [json.loads(line) for line in lines.splitlines()]
        rows[-1]["reason"] = "all is well"
        rows[-1]["hash"] = events.event_hash(rows[-1])
        return b"".join(json_member(row) for row in rows)

    false = _repacked(content, events=forged)
    assert check_pack(false) == []
    with payable.store.read() as connection:
        (fault,) = check_against_home(connection, false)
    assert "is not in the chain of this home" in fault
    cut = _repacked(content, audit_chain=_set(["hash"], sha256_text("x")))
    with payable.store.read() as connection:
        assert "lacks the pack's head" in check_against_home(connection, cut)[0]


def test_a_batch_that_contradicts_itself_is_not_packed(payable):
    batch = usd_batch(payable)
    claims_path(payable.home, batch.batch_id).write_bytes(b"PAR1")
    with pytest.raises(ChainBrokenError, match="was changed after"):
        packed(payable, batch, findings=())
    with pytest.raises(BatchNotFoundError):
        evidence_pack(payable.store, payable.home, "b-9", terms=TERMS, findings=())

"""Approvals signed with SSH keys: what is signed, who may sign, what counts later."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from payout_world import ANA, APPROVALS, BEN, CAT, CLOCK, kept, make_payable_world, payable_world
from signing import make_key, needs_ssh_keygen, signer_line

from payouts import events, signatures
from payouts.approvals import revoke
from payouts.errors import DecisionRefusedError
from payouts.records import append_batch_event, load_content
from payouts.signatures import approval_message, sign
from payouts.terms import Tier
from payouts.verify import verify

pytestmark = needs_ssh_keygen


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: make_key(folder, name) for name in ("ana", "ben", "eve")}


@pytest.fixture
def signers(tmp_path, keys):
    path = tmp_path / "allowed_signers"
    path.write_text(
        "# who may sign\n\n"
        + signer_line("Ana@Acme.example", keys["ana"])
        + signer_line(BEN, keys["ben"], 'namespaces="partnerledger"')
    )
    return path


@pytest.fixture
def rules(signers):
    return replace(APPROVALS, allowed_signers=signers, min_identity="ssh_signed")


@pytest.fixture
def payable(tmp_path, request):
    """With the batch already, for tests that take one."""
    make = _proposed if "batch" in request.fixturenames else make_payable_world
    return kept(make).copy(tmp_path / "home")


@pytest.fixture
def batch(payable):
    """The proposed batch of 12,000 JPY."""
    return payable.batch_in("JPY")


def _proposed(home):
    world = make_payable_world(home)
    world.propose()
    return world


def _message(world, batch, role="partnerships", **changes):
    with world.store.read() as connection:
        content = load_content(connection, batch.batch_id)
    given = {"batch_id": batch.batch_id, "currency_code": batch.currency_code, **changes}
    given_hash = given.pop("content_hash", batch.content_hash)
    approval_round = given.pop("approval_round", 1)
    return approval_message(replace(content, **given), given_hash, role, approval_round)


def _approve(world, batch, key, *, rules, actor=ANA, role="partnerships", message=None, **options):
    text = sign(message or _message(world, batch, role), key)
    return world.approve(batch, actor, role, rules=rules, signature=text, **options)


def _events(world, batch):
    with world.store.read() as connection:
        return events.of_subject(connection, f"batch:{batch.batch_id}")


def _fingerprint(key):
    done = subprocess.run(["ssh-keygen", "-lf", str(key)], capture_output=True, text=True)
    return done.stdout.split()[1]


def test_message_is_one_line_of_what_is_approved(payable, batch):
    assert _message(payable, batch) == (
        f"partnerledger-approval-v2|{batch.batch_id}|{batch.content_hash}|partnerships|"
        f"{batch.total_amount_minor}|{batch.currency_code}|{batch.items}|1\n"
    )


def test_signed_approvals_are_kept_with_key_and_verified_again(payable, batch, keys, rules):
    _approve(payable, batch, keys["ana"], rules=rules)
    state = _approve(payable, batch, keys["ben"], rules=rules, actor=BEN, role="finance")
    assert state.state == "finance_approved"
    assert [each.identity_level for each in state.approvals] == ["ssh_signed", "ssh_signed"]
    fingerprints = {each.key_fingerprint for each in state.approvals}
    assert len(fingerprints) == 2 and all(each.startswith("SHA256:") for each in fingerprints)
    with payable.store.read() as connection:
        assert signatures.signature_faults(connection) == (2, [])
    (found,) = [f for f in verify(payable.home, store=payable.store) if f.check == "signatures"]
    assert (found.ok, found.detail) == (True, "2 signed approvals, each of its batch")
    assert payable.export(batch, approval_rules=rules).is_new


@pytest.mark.parametrize(
    ("changes", "role"),
    [
        ({"batch_id": "b-other"}, "partnerships"),
        ({"content_hash": "0" * 64}, "partnerships"),
        ({"currency_code": "EUR"}, "partnerships"),
        ({"items": ()}, "partnerships"),
        ({"approval_round": 2}, "partnerships"),
        ({}, "finance"),
    ],
)
def test_signature_of_anything_else_is_refused(payable, batch, keys, rules, changes, role):
    message = _message(payable, batch, role, **changes)
    with pytest.raises(DecisionRefusedError, match="not one of this batch, hash, role, total"):
        _approve(payable, batch, keys["ana"], rules=rules, message=message)
    assert payable.state(batch) == "proposed"


def test_signature_of_one_minor_unit_more_is_refused(payable, batch, keys, rules):
    total = f"|{batch.total_amount_minor}|"
    message = _message(payable, batch).replace(total, f"|{batch.total_amount_minor + 1}|")
    with pytest.raises(DecisionRefusedError, match="not one of this batch"):
        _approve(payable, batch, keys["ana"], rules=rules, message=message)


def test_key_of_somebody_else_or_of_nobody_is_refused(payable, batch, keys, rules):
    for name in ("ben", "eve"):
        with pytest.raises(DecisionRefusedError, match="too; a key belongs|is not one of ana@"):
            _approve(payable, batch, keys[name], rules=rules)
    with pytest.raises(DecisionRefusedError, match="names no key of cat@"):
        _approve(payable, batch, keys["eve"], rules=rules, actor=CAT)


@pytest.mark.parametrize("text", [
    "", "x", "-----BEGIN SSH SIGNATURE-----\n", "y" * 30_000,
    "-----BEGIN SSH SIGNATURE-----\udcff", "-----BEGIN SSH SIGNATURE-----\uff11",
])  # fmt: skip
def test_what_is_no_signature_is_refused(payable, batch, rules, text):
    with pytest.raises(DecisionRefusedError, match="not one of this batch|min_identity asks"):
        payable.approve(batch, ANA, "partnerships", rules=rules, signature=text)


def test_level_ssh_signed_without_a_signature_is_refused(payable, batch, rules):
    with pytest.raises(DecisionRefusedError, match="with a signature only"):
        payable.approve(batch, ANA, "partnerships", rules=rules, identity_level="ssh_signed")


def test_one_key_for_two_people_is_refused(payable, batch, keys, rules, signers):
    """Otherwise one person with one key could give both approvals."""
    signers.write_text(f"{ANA},{BEN} " + signer_line("x", keys["ana"]).partition(" ")[2])
    with pytest.raises(DecisionRefusedError, match="for ben@acme.example too; a key belongs"):
        _approve(payable, batch, keys["ana"], rules=rules)


def test_key_that_moved_to_another_person_gives_no_second_approval(
    payable, batch, keys, rules, signers
):
    _approve(payable, batch, keys["ana"], rules=rules)
    signers.write_text(signer_line(BEN, keys["ana"]))
    with pytest.raises(DecisionRefusedError, match="was approved with the key .* by ana@"):
        _approve(payable, batch, keys["ana"], rules=rules, actor=BEN, role="finance")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("*@acme.example {key}", "allowed_signers:1 names a pattern"),
        (f"{ANA} cert-authority {{key}}", "names a certificate authority"),
        (f"{ANA} hello", "holds no public key"),
        (f"{ANA} ssh-ed25519 ???", "cannot be read"),
    ],
)
def test_line_of_signers_that_is_not_one_persons_key_is_refused(
    payable, batch, keys, rules, signers, line, message
):
    public = keys["ana"].with_name("ana.pub").read_text()
    signers.write_text(line.format(key=public))
    with pytest.raises(DecisionRefusedError, match=message):
        _approve(payable, batch, keys["ana"], rules=rules)


def test_missing_file_and_missing_program_are_named(payable, batch, keys, rules, monkeypatch):
    without = replace(rules, allowed_signers=rules.allowed_signers.with_name("none"))
    with pytest.raises(DecisionRefusedError, match="there is no file .*none: write one"):
        _approve(payable, batch, keys["ana"], rules=without)
    text = sign(_message(payable, batch), keys["ana"])
    monkeypatch.setattr(signatures, "_PROGRAM", "ssh-keygen-that-is-not-there")
    with pytest.raises(DecisionRefusedError, match="ssh-keygen is not installed"):
        payable.approve(batch, ANA, "partnerships", rules=rules, signature=text)


def test_signing_without_the_key_is_refused(tmp_path):
    with pytest.raises(DecisionRefusedError, match="nothing was signed with .*: .*No such file"):
        sign("x\n", tmp_path / "no-key")


def test_key_counts_within_its_time_only(payable, batch, keys, rules, signers):
    signers.write_text(signer_line(ANA, keys["ana"], f'valid-before="{CLOCK:%Y%m%d%H%M%S}"'))
    with pytest.raises(DecisionRefusedError, match="or its time is over"):
        later = CLOCK + timedelta(seconds=1)
        _approve(payable, batch, keys["ana"], rules=rules, recorded_at=later)
    assert _approve(payable, batch, keys["ana"], rules=rules).approvals


def test_key_that_was_removed_counts_no_more_at_the_export(payable, batch, keys, rules, signers):
    _approve(payable, batch, keys["ana"], rules=rules)
    _approve(payable, batch, keys["ben"], rules=rules, actor=BEN, role="finance")
    signers.write_text(signer_line(ANA, keys["ana"]))
    with pytest.raises(DecisionRefusedError, match="0 valid approvals as finance"):
        payable.export(batch, approval_rules=rules)
    # What was signed stays proved all the same.
    with payable.store.read() as connection:
        assert signatures.signature_faults(connection) == (2, [])


def test_signature_that_was_revoked_is_of_no_use_to_anybody(payable, batch, keys, rules):
    """Ben revokes because he found a fraud; Ana brings his old signature from the log."""
    _approve(payable, batch, keys["ana"], rules=rules)
    bens = sign(_message(payable, batch, "finance"), keys["ben"])
    payable.approve(batch, BEN, "finance", rules=rules, signature=bens)
    revoke(payable.store, batch.batch_id, actor=BEN, recorded_at=CLOCK, reason="a fraud")
    second = _message(payable, batch, approval_round=2)
    _approve(payable, batch, keys["ana"], rules=rules, message=second)
    with pytest.raises(DecisionRefusedError, match="not one of this batch, .* and round"):
        payable.approve(batch, BEN, "finance", rules=rules, signature=bens)
    assert payable.state(batch) == "partnerships_approved"
    again = _message(payable, batch, "finance", approval_round=2)
    _approve(payable, batch, keys["ben"], rules=rules, actor=BEN, role="finance", message=again)
    assert payable.export(batch, approval_rules=rules).is_new
    with payable.store.read() as connection:
        assert signatures.signature_faults(connection) == (4, [])


def test_signature_of_the_first_form_stays_provable_and_counts(payable, batch, keys, rules):
    """Recorded before the round was part of the text, without a version."""
    state = _approve(payable, batch, keys["ana"], rules=rules)
    with payable.store.read() as connection:
        content = load_content(connection, batch.batch_id)
    old = approval_message(content, batch.content_hash, "finance", 1, None)
    assert old.startswith("partnerledger-approval-v1|") and old.endswith(f"|{batch.items}\n")
    (event,) = [each for each in _events(payable, batch) if each.kind == "batch_approved"]
    assert event.payload["message_version"] == "partnerledger-approval-v2"
    payload = {
        name: value for name, value in event.payload.items() if name != "message_version"
    } | {
        "role": "finance", "signature": sign(old, keys["ben"]),
        "key_fingerprint": _fingerprint(keys["ben"]),
    }  # fmt: skip
    with payable.store.write() as connection:
        append_batch_event(
            connection, state, kind="batch_approved", actor=BEN, recorded_at=CLOCK,
            payload=payload, identity_level="ssh_signed",
        )  # fmt: skip
        assert signatures.signature_faults(connection) == (2, [])
    assert payable.export(batch, approval_rules=rules).is_new


def test_tier_asks_for_a_stronger_identity_from_the_boundary_on(tmp_path, keys, rules):
    world = payable_world(tmp_path / "home", synchronous="OFF")
    batch = next(each for each in world.propose() if each.currency_code == "USD")
    assert batch.total_amount_minor == 15_000
    tiers = (Tier(Decimal("149.99")), Tier(min_identity="ssh_signed"))
    tiered = replace(rules, min_identity="os_user", tiers=tiers)
    with pytest.raises(DecisionRefusedError, match="min_identity asks for ssh_signed"):
        world.approve(batch, ANA, "partnerships", rules=tiered)
    at_boundary = replace(tiered, tiers=(Tier(Decimal("150.00")), tiers[1]))
    assert world.approve(batch, ANA, "partnerships", rules=at_boundary).approvals
    # Under the terms of now, the unsigned approval does not count.
    _approve(world, batch, keys["ben"], rules=tiered, actor=BEN, role="finance")
    with pytest.raises(DecisionRefusedError, match="0 valid approvals as partnerships"):
        world.export(batch, approval_rules=tiered)


@pytest.mark.parametrize(
    ("found", "written"),
    [("signature", "x"), ("key_fingerprint", "SHA256:other"), ("role", "finance")],
)
def test_signature_that_does_not_fit_is_found_by_verify(
    payable, batch, keys, rules, found, written
):
    """An event as somebody would write it who can re-hash the whole chain."""
    state = _approve(payable, batch, keys["ana"], rules=rules)
    (approval,) = state.approvals
    with payable.store.write() as connection:
        event = events.of_subject(connection, f"batch:{batch.batch_id}")[-1]
        events.append(
            connection, kind="batch_approved", subject="batch:" + batch.batch_id, actor=BEN,
            recorded_at=CLOCK, payload={**event.payload, found: written},
            identity_level="ssh_signed",
        )  # fmt: skip
        checked, faults = signatures.signature_faults(connection)
    assert (checked, len(faults)) == (2, 1)
    assert "is not one of batch" in faults[0]

"""The vault: what it keeps opens with its key alone, and what was shredded never again."""

from __future__ import annotations

import dataclasses
import sqlite3
import stat
import traceback

import pytest
from payee_world import (
    ACCOUNT_NUMBER,
    CLOCK,
    HOLDER,
    IBAN,
    KEY,
    NACHA,
    NEW_KEY,
    OTHER_SEPA,
    PAYER,
    SEPA,
    payee_world,
)

from payouts.errors import (
    DetailsInvalidError,
    DetailsMissingError,
    VaultDamagedError,
    VaultError,
    VaultKeyMissingError,
    VaultKeyWrongError,
)
from payouts.vault import FILE_NAME, Vault, open_vault
from payouts.vault_keys import KEY_VARIABLE, parse_keys
from payouts.vault_upkeep import rotate_vault, vault_faults


@pytest.fixture
def vault(tmp_path):
    return open_vault(tmp_path, KEY)


def put(vault, details=SEPA, owner="partner:p_1"):
    return vault.put(owner, details.rail, details, CLOCK)


def change(vault, statement, *values):
    with sqlite3.connect(vault.path) as connection:
        connection.execute(statement, values)
    connection.close()


@pytest.mark.parametrize("details", [SEPA, NACHA])
def test_what_was_put_comes_back_equal_with_what_may_be_known_of_it(vault, details):
    stored = put(vault, details)
    assert vault.get(stored.details_id) == details
    assert (stored.owner, stored.rail) == ("partner:p_1", details.rail)
    assert stored.last_four == details.last_four() and len(stored.last_four) == 4
    assert len(stored.fingerprint) == len(stored.account_fingerprint) == 64
    assert stored.details_id.startswith("d_") and len(stored.details_id) == 18


def test_account_that_is_paid_from_is_read_as_one(vault):
    stored = vault.put("payer:sepa", "sepa", PAYER, CLOCK)
    assert vault.get(stored.details_id) == PAYER


@pytest.mark.parametrize(
    ("owner", "rail", "details"),
    [("partner:p_1", "nacha", SEPA), ("partner:p_1", "sepa", PAYER), ("payer:sepa", "sepa", SEPA)],
)
def test_details_of_another_rail_or_role_are_refused(vault, owner, rail, details):
    with pytest.raises(DetailsInvalidError):
        vault.put(owner, rail, details, CLOCK)
    assert not vault.path.exists()


def test_same_details_again_keep_their_id_and_others_get_a_new_one(vault):
    first = put(vault)
    again = put(vault)
    assert (again.details_id, first.is_new, again.is_new) == (first.details_id, True, False)
    second = put(vault, OTHER_SEPA)
    back = put(vault)
    assert len({first.details_id, second.details_id, back.details_id}) == 3
    assert back.fingerprint == first.fingerprint != second.fingerprint
    assert vault.ids_of("partner:p_1") == [
        first.details_id, second.details_id, back.details_id
    ]  # fmt: skip


def test_ids_and_fingerprints_are_the_same_in_a_vault_that_is_set_up_anew(tmp_path):
    one, two = (put(open_vault(tmp_path / name, KEY)) for name in ("one", "two"))
    assert one == two
    other = put(open_vault(tmp_path / "three", NEW_KEY))
    assert other.fingerprint != one.fingerprint and other.details_id != one.details_id


def test_fingerprint_is_of_the_holder_too_and_that_of_the_account_is_not(vault):
    mine = put(vault)
    renamed = put(vault, dataclasses.replace(SEPA, holder_name="Somebody Else"))
    spelled = put(vault, dataclasses.replace(SEPA, iban="DE89 3704 0044 0532 0130 00"), "partner:2")
    assert renamed.fingerprint != mine.fingerprint
    assert renamed.account_fingerprint == mine.account_fingerprint == spelled.account_fingerprint


def test_file_is_for_its_owner_alone_and_holds_nothing_readable(vault):
    put(vault)
    put(vault, NACHA, "partner:p_2")
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    content = vault.path.read_bytes()
    for secret in (IBAN, HOLDER, ACCOUNT_NUMBER, "Berlin", "Quillfeather"):
        assert secret.encode() not in content
        assert secret[:-4].encode() not in content


def test_looking_creates_no_file(vault):
    with pytest.raises(DetailsMissingError, match="holds no details d_1"):
        vault.get("d_1")
    assert vault.erase("d_1") is False
    assert (vault.ids_of("partner:p_1"), vault.faults(), vault.rotate()) == ([], [], 0)
    assert not vault.path.exists()


@pytest.mark.parametrize("text", ["", " , ", "short", "a" * 44, KEY[:-4], f"{KEY},nonsense"])
def test_key_that_is_missing_or_none_is_named_and_not_repeated(tmp_path, text):
    with pytest.raises(VaultKeyMissingError, match=KEY_VARIABLE) as caught:
        open_vault(tmp_path, text)
    for part in (KEY, "nonsense", "aaaa"):
        assert part not in str(caught.value)


def test_key_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(VaultKeyMissingError, match="is not set; .* kept where your secrets are"):
        open_vault(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    assert open_vault(tmp_path).key_id == parse_keys(KEY)[0].key_id


def test_wrong_key_is_a_clear_permanent_error_and_keeps_nothing(vault, tmp_path):
    stored = put(vault)
    other = open_vault(tmp_path, NEW_KEY)
    for attempt in (
        lambda: other.get(stored.details_id), lambda: put(other, OTHER_SEPA), other.rotate,
    ):  # fmt: skip
        with pytest.raises(VaultKeyWrongError, match="was written with key") as caught:
            attempt()
        assert caught.value.is_transient is False
    assert vault.ids_of("partner:p_1") == [stored.details_id]


@pytest.mark.parametrize(
    "assignment",
    [
        "owner = 'partner:p_2'", "rail = 'nacha'", "version = 9", "fingerprint = 'f'",
        "account_fingerprint = 'f'", "last_four = '0000'", "created_at = '2020'",
        "sealed = zeroblob(60)", "wrapped_key = zeroblob(60)", "sealed = null",
        "wrapped_key = null", "sealed = substr(sealed, 1, length(sealed) - 1)", "sealed = x''",
    ],
)  # fmt: skip
def test_any_changed_column_is_found(vault, assignment):
    stored = put(vault)
    change(vault, f"update vault_rows set {assignment} where details_id = ?", stored.details_id)
    with pytest.raises(VaultDamagedError, match=stored.details_id):
        vault.get(stored.details_id)
    assert len(vault.faults()) == 1


def test_rows_that_change_places_do_not_open(vault):
    """Whoever can write the file cannot pay one partner to another one's account."""
    mine, theirs = put(vault), put(vault, OTHER_SEPA, "partner:p_2")
    change(
        vault,
        "update vault_rows set (wrapped_key, sealed) = (select wrapped_key, sealed from vault_rows "
        "where details_id = ?) where details_id = ?",
        theirs.details_id, mine.details_id,
    )  # fmt: skip
    with pytest.raises(VaultDamagedError):
        vault.get(mine.details_id)
    change(
        vault, "update vault_rows set details_id = 'd_x' where details_id = ?", theirs.details_id
    )
    with pytest.raises(VaultDamagedError):
        vault.get("d_x")


def test_file_that_is_no_vault_is_a_clear_error(vault):
    put(vault)
    vault.path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(VaultDamagedError, match="restore it from a backup"):
        vault.get("d_1")


def test_shredded_details_are_gone_from_the_file_and_open_with_no_key(vault):
    stored, kept = put(vault), put(vault, OTHER_SEPA)
    with sqlite3.connect(vault.path) as connection:
        sealed = connection.execute(
            "select wrapped_key, sealed from vault_rows where details_id = ?", [stored.details_id]
        ).fetchone()
    connection.close()
    assert vault.erase(stored.details_id) is True
    content = vault.path.read_bytes()
    assert not any(part in content for part in sealed)
    assert not list(vault.path.parent.glob(f"{FILE_NAME}-*"))
    told = f"payout details {stored.details_id} of partner p_1 were erased: .* payee details set"
    with pytest.raises(DetailsMissingError, match=told):
        vault.get(stored.details_id)
    assert vault.erase(stored.details_id) is False
    assert vault.get(kept.details_id) == OTHER_SEPA
    assert put(vault).is_new is True


def test_rotation_keeps_details_ids_and_fingerprints_and_needs_the_old_key_no_more(tmp_path):
    old = open_vault(tmp_path, KEY)
    stored, erased = put(old), put(old, NACHA, "partner:p_2")
    old.erase(erased.details_id)
    both = open_vault(tmp_path, f"{NEW_KEY},{KEY}")
    assert both.get(stored.details_id) == SEPA
    assert (both.rotate(), both.rotate()) == (1, 0)
    new = open_vault(tmp_path, NEW_KEY)
    assert new.get(stored.details_id) == SEPA
    assert put(new).details_id == stored.details_id
    again = put(new, SEPA, "partner:p_3")
    assert again.fingerprint == stored.fingerprint
    with pytest.raises(VaultKeyWrongError):
        old.get(stored.details_id)


def test_rotation_without_a_key_that_is_needed_changes_nothing(tmp_path):
    put(open_vault(tmp_path, KEY))
    put(open_vault(tmp_path, f"{NEW_KEY},{KEY}"), NACHA, "partner:p_2")
    before = (tmp_path / FILE_NAME).read_bytes()
    third = open_vault(tmp_path, "A" * 43 + "=," + NEW_KEY)
    with pytest.raises(VaultKeyWrongError):
        third.rotate()
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_nonces_and_data_keys_never_repeat(vault):
    for number in range(20):
        put(vault, SEPA, f"partner:p_{number}")
    with sqlite3.connect(vault.path) as connection:
        rows = connection.execute("select wrapped_key, sealed from vault_rows").fetchall()
    connection.close()
    nonces = [sealed[:12] for row in rows for sealed in row if sealed]
    assert len(set(nonces)) == len(nonces) == 41


def test_random_bytes_can_be_given(tmp_path):
    counter = iter(range(256))
    vault = Vault(tmp_path / FILE_NAME, parse_keys(KEY), lambda size: bytes([next(counter)]) * size)
    assert vault.get(put(vault).details_id) == SEPA


def test_no_repr_and_no_traceback_of_an_error_shows_a_detail_or_a_key(vault, tmp_path):
    stored = put(vault)
    shown = [repr(vault), repr(stored), repr(vault.get(stored.details_id)), repr(parse_keys(KEY))]
    change(vault, "update vault_rows set last_four = 'x' where details_id = ?", stored.details_id)
    wrong = open_vault(tmp_path, NEW_KEY)
    for attempt in (
        lambda: vault.get(stored.details_id), lambda: wrong.get(stored.details_id),
        lambda: vault.put("partner:p_1", "nacha", SEPA, CLOCK),
    ):  # fmt: skip
        with pytest.raises((VaultError, DetailsInvalidError)) as caught:
            attempt()
        shown.append("".join(traceback.format_exception(caught.value)))
        shown.append(repr(caught.value))
    for text in shown:
        for secret in (IBAN, HOLDER, KEY, "Berlin", bytes(range(32)).hex(), repr(bytes(range(32)))):
            assert secret not in text


def test_upkeep_records_a_rotation_and_finds_details_that_are_gone(tmp_path):
    with payee_world(tmp_path / "home") as world:
        record = world.set_details()
        world.set_details(PAYER, "payer:sepa")
        assert vault_faults(world.store, world.vault) == []
        both = open_vault(world.home, f"{NEW_KEY},{KEY}")
        events = world.events()
        assert rotate_vault(world.store, both, actor="ben", recorded_at=CLOCK) == 2
        assert world.events() == events + 1
        assert vault_faults(world.store, both) == []
        both.erase(record.details_id)
        (fault,) = vault_faults(world.store, both)
        assert fault.startswith("partner p_1: ")
        (world.home / FILE_NAME).unlink()
        assert len(vault_faults(world.store, both)) == 2

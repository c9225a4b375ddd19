"""The vault: payout details under envelope encryption, in a file of their own beside the home.

What belongs here: keeping, opening, rotating and shredding details. What does not: who may change
them (``payee_details``) and what a rail needs (``details``). Decision 0045.
Source: payouts reference 7 (bank details); I24.

Each row has a key of its own, which the master key wraps; both ciphers are AES-256-GCM with the
row's other columns as associated data, so that a row that was changed or moved does not open.
Fingerprints and ids are HMACs with an index key, which is made of the first master key and stays
the same when the master key is rotated.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from payouts.details import Details, details_from_json, payer_from_json, to_json
from payouts.errors import DetailsInvalidError, DetailsMissingError, VaultDamagedError, VaultError
from payouts.hashing import canonical_json, instant_text
from payouts.vault_file import StoredRow, VaultFile
from payouts.vault_keys import (
    MasterKey,
    key_for,
    open_sealed,
    parse_keys,
    seal,
    vault_keys_text,
)

FILE_NAME = "vault.sqlite"
PAYER_OWNER = "payer:"
_DATA_KEY_BYTES = 32
_ID_DIGITS = 16
_INDEX_PURPOSE = b"partnerledger vault index 1"
_SEPARATOR = chr(31)


@dataclass(frozen=True)
class StoredDetails:
    """What may be known of details outside the vault.

    ``fingerprint`` is a keyed hash of rail, account and holder, ``account_fingerprint`` of rail
    and account. ``is_new`` is False when the owner's newest details are these already.
    """

    details_id: str
    owner: str
    rail: str
    fingerprint: str
    last_four: str
    account_fingerprint: str
    is_new: bool = True


def open_vault(home: Path, key_text: str | None = None) -> Vault:
    """The vault of a home; its file comes into being with the first details.

    key_text: as the environment variable PARTNERLEDGER_VAULT_KEY, which is read when it is None:
    32 bytes in base64; several with commas between them, the one that writes first.
    Raises: VaultKeyMissingError.
    """
    keys = parse_keys(vault_keys_text() if key_text is None else key_text)
    return Vault(home / FILE_NAME, keys)


class Vault:
    """Payout details by id. Share it between threads; the file may be used by several processes."""

    def __init__(
        self,
        path: Path,
        keys: Sequence[MasterKey],
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """random_bytes: makes data keys and nonces; what it gives must never repeat."""
        self.path = path
        self._keys = tuple(keys)
        self._random_bytes = random_bytes
        self._file = VaultFile(path)

    def __repr__(self) -> str:
        return f"Vault({str(self.path)!r})"

    def put(self, owner: str, rail: str, details: Details, created_at: datetime) -> StoredDetails:
        """Keep details of an owner: ``partner:<id>`` or ``payer:<rail>``.

        Details that are the owner's newest already are not kept twice: the same id comes back.
        created_at: naive UTC. Raises: DetailsInvalidError for another rail or role;
        VaultKeyWrongError, VaultDamagedError, ControlBusyError, StorageError.
        """
        role = "payer" if owner.startswith(PAYER_OWNER) else "payee"
        if (details.rail, details.role) != (rail, role):
            raise DetailsInvalidError(
                f"{owner} needs {role} details of the rail {rail}; nothing was kept"
            )
        plain = to_json(details)
        with self._file.write() as rows:
            index_key = self._index_key(rows.index_key())
            if index_key is None:
                index_key = _first_index_key(self._keys[0])
                rows.keep_index_key(self.key_id, self._wrapped_index_key(index_key))
            known = rows.of_owner(owner)
            kept = [row for row in known if not row.is_erased]
            if kept and self._opened(kept[-1]) == plain:
                return _shown(kept[-1], is_new=False)
            version = known[-1].version + 1 if known else 1
            row = self._sealed_row(index_key, owner, version, details, plain, created_at)
            rows.insert(row)
            return _shown(row)

    def get(self, details_id: str) -> Details:
        """The details themselves.

        Raises: DetailsMissingError when the vault does not hold them or they were erased,
        VaultKeyWrongError, VaultDamagedError.
        """
        row = self._file.find(details_id)
        if row is None:
            raise DetailsMissingError(
                f"the vault {self.path} holds no details {details_id}; restore the vault from the "
                "backup that belongs to the control database, or propose the details again"
            )
        if row.is_erased:
            raise DetailsMissingError(
                f"the payout details {details_id} of {_owner_words(row.owner)} were erased: no key "
                "opens them, and no file that names them is written any more. To pay by this "
                "account again, propose new details with partnerledger payee "
                f"{'payer set' if row.owner.startswith(PAYER_OWNER) else 'details set'}, and a new "
                "batch; of what was exported before, the manifest stays"
            )
        read = payer_from_json if row.owner.startswith(PAYER_OWNER) else details_from_json
        return read(row.rail, self._opened(row))

    def erase(self, details_id: str) -> bool:
        """Shred details: their key and text are overwritten, and no key opens them again.

        Returns whether there was anything to shred. What a backup holds is not reached.
        Raises: ControlBusyError, StorageError.
        """
        return self._file.shred(details_id)

    def ids_of(self, owner: str) -> list[str]:
        """Ids of an owner's details that were not erased, oldest first."""
        return [row.details_id for row in self._file.rows(owner) if not row.is_erased]

    def rotate(self) -> int:
        """Wrap every row's key, and the index key, with the first of the given keys anew.

        All or nothing. Afterwards the other keys are not needed any more. Returns the number of
        rows that were wrapped anew.
        Raises: VaultKeyWrongError when a row needs a key that was not given; VaultDamagedError.
        """
        first = self._keys[0]
        rotated = 0
        if not self.path.exists():
            return rotated
        with self._file.write() as rows:
            kept = rows.index_key()
            if kept is not None and kept.key_id != first.key_id:
                rows.keep_index_key(first.key_id, self._wrapped_index_key(self._index_key(kept)))
            for row in rows.all():
                if row.is_erased or row.key_id == first.key_id:
                    continue
                data_key = self._data_key(row)
                wrapped = seal(first.key, data_key, _associated(row), self._random_bytes)
                rows.rewrap(row.details_id, first.key_id, wrapped)
                rotated += 1
        return rotated

    @property
    def key_id(self) -> str:
        """Which key writes; it says nothing of the key."""
        return self._keys[0].key_id

    def faults(self) -> list[str]:
        """Why rows do not open, one line each."""
        found = []
        for row in self._file.rows():
            try:
                if not row.is_erased:
                    self._opened(row)
            except VaultError as error:
                found.append(str(error))
        return found

    def _sealed_row(
        self,
        index_key: bytes,
        owner: str,
        version: int,
        details: Details,
        plain: str,
        created_at: datetime,
    ) -> StoredRow:
        account = _hmac(index_key, "account", details.rail, details.account())
        holder = getattr(details, "holder_name", None) or getattr(details, "name", "")
        row = StoredRow(
            details_id="d_"
            + _hmac(index_key, "id", owner, details.rail, plain, str(version))[:_ID_DIGITS],
            owner=owner,
            rail=details.rail,
            version=version,
            fingerprint=_hmac(index_key, "payee", details.rail, details.account(), holder),
            account_fingerprint=account,
            last_four=details.last_four(),
            created_at=instant_text(created_at),
            key_id=self.key_id,
            wrapped_key=None,
            sealed=None,
        )
        data_key = self._random_bytes(_DATA_KEY_BYTES)
        associated = _associated(row)
        return row.with_secrets(
            wrapped_key=seal(self._keys[0].key, data_key, associated, self._random_bytes),
            sealed=seal(data_key, plain.encode("utf-8"), associated, self._random_bytes),
        )

    def _opened(self, row: StoredRow) -> str:
        text = open_sealed(self._data_key(row), row.sealed, _associated(row))
        if text is None:
            raise _damaged(self.path, row.details_id)
        return text.decode("utf-8")

    def _data_key(self, row: StoredRow) -> bytes:
        master = key_for(self._keys, row.key_id, f"details {row.details_id} in {self.path}")
        data_key = open_sealed(master.key, row.wrapped_key, _associated(row))
        if data_key is None:
            raise _damaged(self.path, row.details_id)
        return data_key

    def _index_key(self, kept: StoredRow | None) -> bytes | None:
        if kept is None:
            return None
        master = key_for(self._keys, kept.key_id, f"the index of {self.path}")
        index_key = open_sealed(master.key, kept.wrapped_key, _INDEX_PURPOSE)
        if index_key is None:
            raise _damaged(self.path, "its index key")
        return index_key

    def _wrapped_index_key(self, index_key: bytes) -> bytes:
        return seal(self._keys[0].key, index_key, _INDEX_PURPOSE, self._random_bytes)


def _first_index_key(master: MasterKey) -> bytes:
    """Made of the key, not at random: a vault that is set up anew gives the same fingerprints."""
    return hmac.new(master.key, _INDEX_PURPOSE, hashlib.sha256).digest()


def _hmac(index_key: bytes, *parts: str) -> str:
    text = _SEPARATOR.join(parts)
    return hmac.new(index_key, text.encode("utf-8"), hashlib.sha256).hexdigest()


def _associated(row: StoredRow) -> bytes:
    """All that stands in the clear, except which master key wraps the row: rotating changes it."""
    return canonical_json(
        [row.details_id, row.owner, row.rail, row.version, row.fingerprint,
         row.account_fingerprint, row.last_four, row.created_at]
    ).encode("utf-8")  # fmt: skip


def _shown(row: StoredRow, is_new: bool = True) -> StoredDetails:
    return StoredDetails(
        details_id=row.details_id,
        owner=row.owner,
        rail=row.rail,
        fingerprint=row.fingerprint,
        last_four=row.last_four,
        account_fingerprint=row.account_fingerprint,
        is_new=is_new,
    )


def _owner_words(owner: str) -> str:
    kind, _, name = owner.partition(":")
    return f"the payer of {name}" if f"{kind}:" == PAYER_OWNER else f"{kind} {name}"


def _damaged(path: Path, what: str) -> VaultDamagedError:
    return VaultDamagedError(
        f"{what} in the vault {path} is not what was written: it was changed outside "
        "partnerledger; restore the vault from a backup"
    )

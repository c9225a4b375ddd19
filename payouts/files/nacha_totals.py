"""Counts, hashes and sums of a NACHA file while it is read back.

What belongs here: what control records must say about the records before them. What does not: what
a single record holds (``nacha_checks``). Source: payouts reference 2.3.
"""

from __future__ import annotations

from payouts.files.nacha_layout import number

_HASH_MODULUS = 10**10


class OpenBatch:
    """One batch between its header and its control record."""

    def __init__(self, header: dict[str, str]) -> None:
        self.header = header
        self.count = 0
        self.hash = 0
        self.credit_minor = 0
        self._last_sequence = -1

    def entry_faults(self, fields: dict[str, str]) -> list[str]:
        """Adds an entry; what is wrong with its amount and its trace number."""
        amount_minor = number(fields["amount"])
        sequence = number(fields["sequence"])
        faults = []
        self.count += 1
        self.hash += number(fields["rdfi"]) or 0
        self.credit_minor += amount_minor or 0
        if not amount_minor:
            faults.append("the amount is zero or no number")
        if fields["odfi"] != self.header["odfi"]:
            faults.append("the trace number is of another bank than the batch")
        if sequence is None or sequence <= self._last_sequence:
            faults.append("the trace number does not rise")
        else:
            self._last_sequence = sequence
        return faults

    def control_faults(self, fields: dict[str, str]) -> list[str]:
        """What a control record says that is not so."""
        faults = _sum_faults("batch", fields, self.count, self.hash, self.credit_minor)
        for name in ("class", "company_id", "odfi", "number"):
            if fields[name] != self.header[name]:
                faults.append(f"the batch control's {name} is not the batch header's")
        if fields["code"].strip() or fields["blank"].strip():
            faults.append("the batch control's last fields must be blank")
        return faults


class OpenFile:
    """The file's own totals. records: all records without the filling."""

    def __init__(self) -> None:
        self.records = 0
        self._batches = 0
        self._count = 0
        self._hash = 0
        self._credit_minor = 0

    def batch_number_faults(self, fields: dict[str, str]) -> list[str]:
        """Batches count from 1."""
        self._batches += 1
        if number(fields["number"]) != self._batches:
            return ["the batch number does not count the batches"]
        return []

    def close(self, batch: OpenBatch) -> None:
        """Adds a batch that is complete."""
        self._count += batch.count
        self._hash += batch.hash % _HASH_MODULUS
        self._credit_minor += batch.credit_minor

    def control_faults(self, fields: dict[str, str]) -> list[str]:
        """What the file control record says that is not so."""
        faults = _sum_faults("file", fields, self._count, self._hash, self._credit_minor)
        if number(fields["batches"]) != self._batches:
            faults.append("the file control does not count the batches")
        if number(fields["blocks"]) != -(-self.records // 10):
            faults.append("the file control does not count the blocks")
        if fields["blank"].strip():
            faults.append("the file control's last field must be blank")
        return faults


def _sum_faults(
    level: str, fields: dict[str, str], count: int, routing: int, credit_minor: int
) -> list[str]:
    wanted = {
        "count": count,
        "hash": routing % _HASH_MODULUS,
        "debit": 0,
        "credit": credit_minor,
    }
    return [
        f"the {level} control's {name} is not that of its entries"
        for name, value in wanted.items()
        if number(fields[name]) != value
    ]

"""Where the fields of a NACHA record stand, for reading one back.

What belongs here: positions, as the payouts reference 2.3 tables them. What does not: the writer,
which formats its records by itself, so that an error in one of the two shows.
"""

from __future__ import annotations

RECORD_CHARACTERS = 94

# Name and width, in order; a record's widths add up to 94.
_LAYOUTS_TEXT = {
    "1": "type1 priority2 destination10 origin10 date6 time4 modifier1 size3 blocking2 format1 "
    "destination_name23 origin_name23 reference8",
    "5": "type1 class3 company16 discretionary20 company_id10 sec3 description10 descriptive6 "
    "effective6 settlement3 status1 odfi8 number7",
    "6": "type1 code2 rdfi8 check1 account17 amount10 id15 name22 discretionary2 addenda1 odfi8 "
    "sequence7",
    "7": "type1 code2 text80 addenda_sequence4 sequence7",
    "8": "type1 class3 count6 hash10 debit12 credit12 company_id10 code19 blank6 odfi8 number7",
    "9": "type1 batches6 blocks6 count8 hash10 debit12 credit12 blank39",
}


def _slices(text: str) -> dict[str, slice]:
    fields, start = {}, 0
    for part in text.split():
        name = part.rstrip("0123456789")
        end = start + int(part[len(name) :])
        fields[name] = slice(start, end)
        start = end
    return fields


LAYOUTS = {kind: _slices(text) for kind, text in _LAYOUTS_TEXT.items()}
"""Field positions by record type."""


def fields_of(record: str) -> dict[str, str]:
    """The record's fields by name, blanks kept. The record is 94 characters of a known type."""
    return {name: record[place] for name, place in LAYOUTS[record[0]].items()}


def number(text: str) -> int | None:
    """The value of a field that holds digits only, else None."""
    return int(text) if text.isascii() and text.isdigit() else None

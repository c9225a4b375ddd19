"""Customers as partners see them: enough to know whom they brought, no address and no full name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ADDRESS = re.compile(r"([^\s@:/<>,;|]?)[^\s@:/<>,;|]*@([^\s@:/<>,;|]+)")
SOMEBODY = "A customer"


def masked_domain(domain: str) -> str:
    """`b***.example` for a company's domain: its first letter and its ending."""
    name, _, ending = domain.rpartition(".")
    return f"{(name or ending)[:1]}***{f'.{ending}' if name else ''}"


def masked_addresses(text: str) -> str:
    """A text or an id without the e-mail addresses in it: `a***@b***.example`."""
    return _ADDRESS.sub(lambda found: f"{found[1]}***@{masked_domain(found[2])}", text)


def customer(row: Mapping[str, Any]) -> str:
    """Who a lead is: its company, else the person, both masked.

    row: with ``company_domain`` and ``email_masked`` of marts.fct_leads.
    """
    if row.get("company_domain"):
        return masked_domain(row["company_domain"])
    return row.get("email_masked") or SOMEBODY

"""What the tests of the portal share: ids of the sample, looked up in its snapshot.

Does not belong here: expected values.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from dashboards.snapshot import open_snapshot

PARTNER, OTHER = "p_4", "p_2"
ME, THEM = f"partner:{PARTNER}", f"partner:{OTHER}"


def rows(home: Path, sql: str, *values: Any) -> list[tuple]:
    """Rows of the published snapshot."""
    with open_snapshot(home) as connection:
        return connection.execute(sql, list(values)).fetchall()


def one(home: Path, sql: str, *values: Any) -> Any:
    """The first value of the first row."""
    found = rows(home, sql, *values)
    assert found, f"the sample has nothing for: {sql}"
    return found[0][0]


def newest_line(home: Path, partner_id: str) -> str:
    """A line that can be asked about: the newest earning."""
    return one(
        home,
        "select commission_id from marts.fct_commission_lines where partner_id = ? "
        "and kind = 'earning' and amount_minor > 0 order by effective_date desc, 1 limit 1",
        partner_id,
    )


def payout_of(home: Path, partner_id: str) -> str:
    """A payout of a partner in a batch."""
    return one(
        home,
        "select payout_id from marts.fct_payout_items where partner_id = ? "
        "and left_out_reason is null order by 1",
        partner_id,
    )


def leads_of(home: Path, partner_id: str, shared: bool) -> list[str]:
    """Leads that a partner touched, alone or with others; submissions count."""
    found = rows(
        home,
        "with present as (select lead_id, partner_id from marts.fct_touchpoints "
        "union select lead_id, partner_id from marts.fct_lead_submissions) "
        "select lead_id from present where lead_id is not null group by lead_id "
        "having count(case when partner_id = ? then 1 end) = 1 "
        "and (count(case when partner_id is not null then 1 end) > 1) = ? order by 1",
        partner_id,
        shared,
    )
    return [lead_id for (lead_id,) in found]


def foreign_lead(home: Path, partner_id: str) -> str:
    """A lead that the partner has nothing to do with, and others have."""
    return one(
        home,
        "select lead_id from marts.fct_touchpoints where lead_id is not null group by lead_id "
        "having count(case when partner_id = ? then 1 end) = 0 "
        "and count(partner_id) > 0 order by 1",
        partner_id,
    )


def links(text: str, prefix: str) -> list[str]:
    """Addresses of a page below a prefix, each once."""
    found = re.findall(rf'href="({re.escape(prefix)}/[^"?#]+)', text)
    return list(dict.fromkeys(found))

"""The menus: one per area, each entry shown to whom it opens."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.users import DECIDERS, PARTNER, STAFF, User


@dataclass(frozen=True)
class Link:
    """A place in a menu."""

    path: str
    label: str
    roles: frozenset[str]


MENU: tuple[tuple[str, tuple[Link, ...]], ...] = (
    (
        "Programme",
        (
            Link("/", "Overview", STAFF),
            Link("/partners", "Partners", STAFF),
            Link("/leads", "Leads", STAFF),
            Link("/commissions", "Commissions", STAFF),
            Link("/attribution", "Attribution", STAFF),
            Link("/liability", "Liability", STAFF),
            Link("/rules", "Rules", STAFF),
            Link("/health", "Data health", STAFF),
        ),
    ),
    (
        "Payouts",
        (
            Link("/approvals", "Approvals", STAFF),
            Link("/calendar", "Calendar", STAFF),
            Link("/payees", "Payees", DECIDERS),
            Link("/disputes", "Disputes", STAFF),
        ),
    ),
    (
        "Partner",
        (
            Link("/portal", "Home", PARTNER),
            Link("/portal/leads", "My leads", PARTNER),
            Link("/portal/earnings", "Earnings", PARTNER),
            Link("/portal/payouts", "Payouts", PARTNER),
            Link("/portal/disputes", "Questions", PARTNER),
            Link("/portal/rules", "Rules", PARTNER),
            Link("/portal/account", "Account", PARTNER),
        ),
    ),
)


def menu_of(user: User | None, path: str) -> list[tuple[str, list[tuple[Link, bool]]]]:
    """Areas and links for somebody, each with whether the path is below it."""
    if user is None:
        return []
    areas = []
    for area, links in MENU:
        shown = [(link, _is_here(link.path, path)) for link in links if user.roles & link.roles]
        if shown:
            areas.append((area, shown))
    return areas


def _is_here(link: str, path: str) -> bool:
    if link in ("/", "/portal"):
        return path == link
    return path == link or path.startswith(f"{link}/")

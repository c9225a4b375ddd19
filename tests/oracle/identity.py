"""Who is the same person or company (F3, F4).

Belongs here: normalising identifiers and the exact connected components over them.
Does not belong here: what a lead did or who referred it.
"""

from collections import defaultdict

from disposable_email_domains import blocklist

from .facts import Book, Row

FREE_MAIL = {
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com",
    "aol.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "live.com",
    "msn.com", "mail.com", "yandex.ru", "qq.com", "163.com",
}  # fmt: skip

# Entities whose records are members of a lead, and the columns that identify them.
_IDENTIFIERS: dict[str, tuple[tuple[str, str], ...]] = {
    "touchpoints": (
        ("email", "email"), ("contact_id", "contact"), ("customer_id", "customer"),
        ("anonymous_id", "anonymous"), ("company_domain", "domain"),
    ),
    "form_submissions": (
        ("email", "email"), ("anonymous_id", "anonymous"), ("company_domain", "domain"),
    ),
    "deal_registrations": (
        ("email", "email"), ("company_domain", "domain"), ("deal_id", "deal"),
    ),
    "contacts": (
        ("contact_id", "contact"), ("email", "email"), ("company_id", "company"),
        ("merged_into_id", "contact"),
    ),
    "deals": (("deal_id", "deal"), ("contact_id", "contact"), ("company_id", "company")),
    "meetings": (("email", "email"), ("contact_id", "contact"), ("company_id", "company")),
    "product_events": (
        ("email", "email"), ("customer_id", "customer"), ("anonymous_id", "anonymous"),
    ),
    "customers": (
        ("customer_id", "customer"), ("email", "email"), ("company_domain", "domain"),
        ("contact_id", "contact"),
    ),
}  # fmt: skip

_COMPANY = (("company_id", "company"), ("domain", "domain"), ("merged_into_id", "company"))

ID_COLUMN = {
    "touchpoints": "touchpoint_id", "form_submissions": "submission_id",
    "deal_registrations": "registration_id", "contacts": "contact_id", "deals": "deal_id",
    "meetings": "meeting_id", "product_events": "event_id", "customers": "customer_id",
}  # fmt: skip


def normalise_domain(text: str) -> str:
    """F3: lower case, `www.` stripped, otherwise exact."""
    return text.strip().lower().removeprefix("www.")


def normalise_email(text: str) -> str | None:
    """F3: case, plus tags everywhere, dots for Gmail; None when it is no address."""
    local, at, domain = text.strip().lower().rpartition("@")
    domain = normalise_domain(domain)
    if not at or not local or not domain:
        return None
    if domain == "googlemail.com":
        domain = "gmail.com"
    local = local.split("+", 1)[0] or local
    if domain == "gmail.com":
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def business_domain(text: str) -> str | None:
    """F3: the domain, unless free-mail or disposable, which never join people."""
    domain = normalise_domain(text)
    return None if not domain or domain in FREE_MAIL or domain in blocklist else domain


def record_key(entity: str, row: Row) -> str:
    """`entity:id` of a record."""
    return f"{entity}:{row[ID_COLUMN[entity]]}"


class Identity:
    """The connected components of all records that exist on `as_of`."""

    def __init__(self, book: Book, scope: str) -> None:
        self._scope = scope
        self._parent: dict[str, str] = {}
        for entity, columns in _IDENTIFIERS.items():
            for row in book.rows(entity):
                self._join([f"record:{record_key(entity, row)}", *self._nodes(row, columns)])
        if scope == "account":  # F4: `person` never joins by company or domain
            for row in book.rows("companies"):
                self._join(self._nodes(row, _COMPANY))
        members: dict[str, set[str]] = defaultdict(set)
        for entity in _IDENTIFIERS:
            for row in book.rows(entity):
                key = record_key(entity, row)
                members[self._find(f"record:{key}")].add(key)
        self._lead_by_root = {root: frozenset(keys) for root, keys in members.items()}

    def leads(self) -> list[frozenset[str]]:
        """One set of member record keys per lead, in a stable order."""
        return sorted(self._lead_by_root.values(), key=lambda keys: min(keys))

    def lead_of_record(self, key: str) -> frozenset[str]:
        """The lead to which a record (`entity:id`) belongs."""
        return self._lead_by_root[self._find(f"record:{key}")]

    def lead_of_customer(self, customer_id: str) -> frozenset[str] | None:
        """The lead of a customer id, None when no record of any lead mentions it."""
        node = f"customer:{customer_id}"
        return self._lead_by_root.get(self._find(node)) if node in self._parent else None

    def _nodes(self, row: Row, columns: tuple[tuple[str, str], ...]) -> list[str]:
        nodes = []
        for column, kind in columns:
            text = row.get(column, "")
            if not text:
                continue
            if kind == "email":
                email = normalise_email(text)
                if email:
                    nodes.append(f"email:{email}")
                    nodes += self._domain_nodes(email.rpartition("@")[2])
            elif kind == "domain":
                nodes += self._domain_nodes(text)
            elif kind != "company" or self._scope == "account":
                nodes.append(f"{kind}:{text}")
        return nodes

    def _domain_nodes(self, text: str) -> list[str]:
        domain = business_domain(text) if self._scope == "account" else None
        return [f"domain:{domain}"] if domain else []

    def _join(self, nodes: list[str]) -> None:
        for node in nodes:
            self._parent.setdefault(node, node)
        for node in nodes[1:]:
            first, other = sorted((self._find(nodes[0]), self._find(node)))
            self._parent[other] = first

    def _find(self, node: str) -> str:
        while self._parent[node] != node:
            self._parent[node] = self._parent[self._parent[node]]
            node = self._parent[node]
        return node

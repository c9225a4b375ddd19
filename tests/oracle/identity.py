"""Who is the same person or company (F3, F4).

Belongs here: which keys a record joins by, and the exact connected components over them.
Does not belong here: how an address is normalised (mail.py), what a lead did, who referred it.
"""

from collections import defaultdict

from .facts import Book, Row
from .mail import business_domain, normalise_email
from .terms import LeadRules

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
    "lead_entries": (
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
    "deal_registrations": "registration_id", "lead_entries": "entry_id",
    "contacts": "contact_id", "deals": "deal_id",
    "meetings": "meeting_id", "product_events": "event_id", "customers": "customer_id",
}  # fmt: skip


def record_key(entity: str, row: Row) -> str:
    """`entity:id` of a record."""
    return f"{entity}:{row[ID_COLUMN[entity]]}"


class Identity:
    """The connected components of all records that exist on `as_of`."""

    def __init__(self, book: Book, rules: LeadRules) -> None:
        self._scope = scope = rules.scope
        self._shared = _shared_nodes(book, rules)
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
        self._born_at = {
            record_key(entity, row): book.born_at(entity, row)
            for entity in _IDENTIFIERS
            for row in book.rows(entity)
        }

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
        """The keys by which a record joins others.

        What too many share is no key beside another one, nor is the domain of such an e-mail;
        records that carry nothing else stay together, under the mailbox before the device.
        """
        nodes, shared = [], []
        for column, kind in columns:
            text = row.get(column, "")
            if not text:
                continue
            if kind == "email":
                email = normalise_email(text)
                if email and f"email:{email}" in self._shared:
                    shared.append(f"email:{email}")
                elif email:
                    nodes.append(f"email:{email}")
                    nodes += self._domain_nodes(email.rpartition("@")[2])
            elif kind == "domain":
                nodes += self._domain_nodes(text)
            elif f"{kind}:{text}" in self._shared:
                shared.append(f"{kind}:{text}")
            elif kind != "company" or self._scope == "account":
                nodes.append(f"{kind}:{text}")
        return nodes or shared[:1]

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


def _shared_nodes(book: Book, rules: LeadRules) -> set[str]:
    """F3: devices with too many people or customers, mailboxes with too many customers."""
    beside: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for entity, columns in _IDENTIFIERS.items():
        for row in book.rows(entity):
            named = _named(row, columns)
            for kind, values in named.items():
                if kind in ("email", "anonymous"):
                    for value in values:
                        for other, theirs in named.items():
                            beside[f"{kind}:{value}"][other] |= theirs
    shared = set()
    for node, named in beside.items():
        if node.startswith("anonymous:"):
            counts, limit = (named["email"], named["customer"]), rules.max_people_per_device
        else:
            counts = (named["customer"], named["company"], named["domain"])
            limit = rules.max_customers_per_mailbox
        if any(len(values) > limit for values in counts):
            shared.add(node)
    return shared


def _named(row: Row, columns: tuple[tuple[str, str], ...]) -> dict[str, set[str]]:
    """What a record says by kind of key; a domain only where it is stated as the company's."""
    named: dict[str, set[str]] = defaultdict(set)
    for column, kind in columns:
        text = row.get(column, "")
        known = text
        if kind == "email":
            known = normalise_email(text)
        elif kind == "domain":
            known = business_domain(text)
        if known:
            named[kind].add(known)
    return named

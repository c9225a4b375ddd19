"""E-mail addresses and domains as identity sees them (F3).

Belongs here: normalising, and which domains name a business. Does not belong here: who is who.
"""

from disposable_email_domains import blocklist

FREE_MAIL = {
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com",
    "aol.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "live.com",
    "msn.com", "mail.com", "yandex.ru", "qq.com", "163.com",
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

"""What people typed, checked before it is recorded: ids, texts, e-mails, domains, instants.

What belongs here: cleaning and refusing single values. What does not: rules between values.
Append-only rows cannot be corrected, so that a doubtful value is refused rather than guessed at.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from payouts.errors import DecisionRefusedError
from payouts.hashing import instant_text
from payouts.identifiers import IBAN_LENGTHS, iban_problem

ID_CHARACTERS = 200
REASON_CHARACTERS = 1_000
MESSAGE_CHARACTERS = 10_000
_EMAIL_CHARACTERS = 320
_DOMAIN = re.compile(r"(?=.{1,253}$)[^\s@/:.]+(\.[^\s@/:.]+)+")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z_-])[0-9]{9,}(?![0-9A-Za-z_-])")
_ACCOUNT = re.compile(r"(?<![0-9A-Za-z_-])[A-Z]{2}[0-9]{2}( ?[0-9A-Z]){11,30}(?![0-9a-z_-])")
# The same as people group and spell it, in a copy of the text in capitals of one width.
_GROUPED_IBAN = re.compile(r"(?<![0-9A-Z])(?=([A-Z]{2}[0-9]{2}(?:[ -]?[0-9A-Z]){11,30}))")
_GROUPED_NUMBER = re.compile(
    r"(?<![0-9A-Z_-])(?:[0-9]{2,}(?:-[0-9]{2,})+|[0-9]{3,}(?: [0-9]{3,})*(?: [0-9]{1,2})?)"
    r"(?![0-9A-Z_-])"
)
_ACCOUNT_DIGITS = 9
# What reasons name and is no account: days and times, ids of this product, numbers of a uuid.
_HARMLESS = re.compile(
    r"(?<![0-9A-Z])(?:(?:19|20)[0-9]{2}-[0-9]{2}(?:-[0-9]{2})?(?:[ T][0-9]{2}:[0-9]{2})?"
    r"|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}|B-[0-9]{8}-[A-Z]{3}-[A-Z]+-[0-9]+-[0-9A-F]{8})"
    r"(?![0-9A-Z])"
)
_KEPT_CONTROLS = "\n\t"


def _characters(*spans: tuple[int, int]) -> frozenset[str]:
    return frozenset(chr(code) for first, last in spans for code in range(first, last + 1))


# These turn the direction of the text around them, so that it reads as something else, or have no
# width at all. The two joiners (U+200C, U+200D) stay in texts: Persian and Hindi are written with
# them.
_STRIPPED = _characters(
    (0x00AD, 0x00AD), (0x061C, 0x061C), (0x180E, 0x180E), (0x200B, 0x200B), (0x200E, 0x200F),
    (0x202A, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F),
)  # fmt: skip
# Letters and marks by their category, and yet nobody sees them: fillers, blanks, variants.
_BLANK = _characters(
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800),
    (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF),
)  # fmt: skip


def identifier(text: str, what: str) -> str:
    """An id without surrounding space.

    Raises: DecisionRefusedError when it is empty, longer than 200 characters, or holds a character
    that nobody sees.
    """
    cleaned = (text or "").strip()
    if not cleaned:
        raise DecisionRefusedError(f"{what} is missing; name it. Nothing was recorded")
    if len(cleaned) > ID_CHARACTERS:
        raise DecisionRefusedError(
            f"{what} has {len(cleaned)} characters, more than {ID_CHARACTERS}; nothing was recorded"
        )
    if any(_is_unseen(character) for character in cleaned):
        raise DecisionRefusedError(
            f"{what} holds a control character; type it anew. Nothing was recorded"
        )
    return cleaned


def actor(text: str, what: str) -> str:
    """Who acts, as typed, without surrounding space; it is printed beside all that was decided.

    Raises: DecisionRefusedError when it holds a character that is not printed: a name that only
    looks like somebody else's. The character is named by its number, and the name not repeated.
    """
    cleaned = text.strip()
    for character in cleaned:
        if not character.isprintable() or character in _BLANK:
            raise DecisionRefusedError(
                f"{what} holds a character that nobody sees (U+{ord(character):04X}); type the "
                "name anew, as in roles of program.yml. Nothing was recorded"
            )
    return cleaned


def optional_identifier(text: str | None, what: str) -> str | None:
    """An id, or None when nothing but space was given.

    Raises: DecisionRefusedError as ``identifier`` does.
    """
    return identifier(text, what) if text and text.strip() else None


def written(text: str, what: str, limit: int = REASON_CHARACTERS) -> str:
    """A text by people: what nobody sees is stripped but line breaks and tabs, space trimmed.

    Raises: DecisionRefusedError when nothing is left, or more than ``limit`` characters are.
    """
    kept = "".join(
        character
        for character in (text or "").replace("\r\n", "\n").replace("\r", "\n")
        if character in _KEPT_CONTROLS or not _is_control(character)
    ).strip()
    # A text of characters that nobody sees is none.
    if not any(not _is_unseen(character) and not character.isspace() for character in kept):
        raise DecisionRefusedError(f"{what} is missing; write one. Nothing was recorded")
    if len(kept) > limit:
        raise DecisionRefusedError(
            f"{what} has {len(kept)} characters, more than {limit}; shorten it. Nothing was "
            "recorded"
        )
    return kept


def holds_account(text: str) -> bool:
    """Whether something in a text looks like an IBAN, however it is grouped, or an address."""
    if _ADDRESS.search(text) or _ACCOUNT.search(text):
        return True
    return any(_is_iban(found[1]) for found in _GROUPED_IBAN.finditer(_capitals(text)))


def holds_secret(text: str) -> bool:
    """Whether a text holds an address, an IBAN, or a number as long as an account's."""
    return (
        holds_account(text)
        or bool(_LONG_NUMBER.search(text))
        or any(
            sum(character.isdecimal() for character in found[0]) >= _ACCOUNT_DIGITS
            for found in _GROUPED_NUMBER.finditer(_HARMLESS.sub("·", _capitals(text)))
        )
    )


def refuse_secrets(text: str, what: str) -> None:
    """Refuse a reason that holds an e-mail address, an account number or what looks like one.

    Reasons stay for ever and are shown in the warehouse (I24). What was given is in no message.
    Raises: DecisionRefusedError.
    """
    if holds_secret(text):
        raise DecisionRefusedError(
            f"{what} holds an e-mail address or a number as long as an account's; reasons are kept "
            "for ever and shown to many. Say it with an id. Nothing was recorded"
        )


def optional_written(text: str | None, what: str, limit: int = REASON_CHARACTERS) -> str:
    """A text by people, or the empty text when nothing was given.

    Raises: DecisionRefusedError as ``written`` does.
    """
    return written(text, what, limit) if text and text.strip() else ""


def email_address(text: str | None) -> str | None:
    """An e-mail in lower case without surrounding space; None when nothing was given.

    Raises: DecisionRefusedError. The address itself is in no message: it would reach the logs.
    """
    address = (text or "").strip().lower()
    if not address:
        return None
    name, _, domain = address.partition("@")
    if (
        not name
        or not domain
        or "@" in domain
        or len(address) > _EMAIL_CHARACTERS
        or any(character.isspace() or _is_unseen(character) for character in address)
    ):
        raise DecisionRefusedError(
            "the e-mail is not an address: it needs exactly one @ with a text on either side and "
            "no space; nothing was recorded"
        )
    return address


def domain_name(text: str | None) -> str | None:
    """A company's domain in lower case; None when nothing was given.

    Raises: DecisionRefusedError for an address of a page, an e-mail, or a name without a dot.
    """
    domain = (text or "").strip().lower().rstrip(".")
    if not domain:
        return None
    if not _DOMAIN.fullmatch(domain) or any(map(_is_unseen, domain)):
        raise DecisionRefusedError(
            "the company domain is not a domain; write it as in globex.example, without https:// "
            "and without a path. Nothing was recorded"
        )
    return domain


def instant(value: datetime, what: str) -> str:
    """An instant as fixed-width UTC text.

    Raises: DecisionRefusedError before 1970, which is a typing error and has no fixed width.
    """
    if value.year < 1970:
        raise DecisionRefusedError(
            f"{what} lies in the year {value.year}; correct it. Nothing was recorded"
        )
    return instant_text(value)


def shown_actor(actor: str) -> str:
    """The part of an actor before the @: enough to know who it was, and no address."""
    return actor.partition("@")[0]


def _capitals(text: str) -> str:
    """A copy to look for accounts in: one width, capitals, one space or hyphen of each kind."""
    copy = unicodedata.normalize("NFKC", text).upper()
    copy = "".join("-" if unicodedata.category(each) == "Pd" else each for each in copy)
    return re.sub(r" ?- ?", "-", " ".join(copy.split()))


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "").replace("-", "")
    length = IBAN_LENGTHS.get(plain[:2], 0)
    return bool(length) and iban_problem(plain[:length]) is None


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs") or character in _STRIPPED


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")

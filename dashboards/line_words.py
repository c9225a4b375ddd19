"""Reasons of staff's pages that are more than a code."""

from __future__ import annotations

from dashboards import words

_RULES = {
    "A1:after_valid_event": "It came after the event that made the lead valid",
    "A1:before_touch_window": "It lies before the touch window",
    "A2:code_grace": "Another partner's link was used within the grace hours before the code",
    "A2:not_in_priority": "No rule in force lists that type of touch",
    "A6:pinned": "The lead has earned, and stays with the partner it earned for",
    "A6:ruling": "An approved ruling credits nobody",
    "lead_not_valid": "The lead is not valid",
    "utm_only": "The form names the code as its campaign only",
}
_HOLDS = {"line_hold": "line", "lead_hold": "lead", "partner_hold": "partner"}


def unpaid_text(reason: str | None) -> str:
    """Why a line or an entry is not paid yet; a hold of people comes with what they wrote."""
    kind, colon, text = (reason or "").partition(": ")
    if colon and kind in _HOLDS:
        return f"The {_HOLDS[kind]} is held: {text}"
    return words.word(reason, words.UNPAID_REASONS)


def rule_text(rule: str | None) -> str:
    """Why a touch does not count, for people; the rule itself where there is no sentence."""
    if rule and rule.startswith("L4:"):
        return f"Its submission was refused: {words.word(rule[3:], words.VERDICTS).lower()}"
    if rule and rule.startswith("A2:lower_type_than_"):
        stronger = words.word(rule.removeprefix("A2:lower_type_than_"), words.TOUCH_TYPES)
        return f"A stronger touch competes: {stronger.lower()}"
    return _RULES.get(rule or "", rule or "")

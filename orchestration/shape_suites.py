"""Shape suites of what vendors' APIs delivered: keys that must be there, values that are known.

The body of an answer is landed as received, so a changed or broken shape is seen here, before
anything is computed from it. A missing key that money is made of stops the night; a word that the
models do not know is told. Does not belong here: what the values mean (staging models).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.checks import Rule, Suite

_FIX_SHAPE = (
    "Look at the record at the vendor and in the landing. If the vendor changed its API, pin the "
    "version that docs/sources/ names and run `partnerledger backfill` for the source; if a record "
    "is broken, correct it there."
)
LATEST_SECOND = 5_000_000_000
"""The year 2128: an instant later than that is not in seconds."""
_NEW_WORD = "Say which vendor and word it was when asking for a new release; nothing was lost."


@dataclass(frozen=True)
class Shape:
    """What one raw relation must look like.

    texts: paths that hold text. integers: paths that hold whole numbers, alternatives by `|`.
    listed_integers: the same in each element of a list, as `LIST[*].MEMBER`.
    condition: SQL that says which rows must have them. words: path and the values the models know;
    other_words: what to do about others.
    """

    relation: str
    texts: Sequence[str] = ()
    integers: Sequence[str] = ()
    listed_integers: Sequence[str] = ()
    condition: str = "not coalesce(is_tombstone, false)"
    words: tuple[str, Sequence[str]] | None = None
    other_words: str = _NEW_WORD


_STRIPE_LIVE = (
    "not coalesce(is_tombstone, false) and coalesce(payload ->> '$.deleted', 'false') <> 'true'"
)

SHAPES = (
    Shape(
        "stripe__customers",
        integers=("created",),
        condition=_STRIPE_LIVE,
        words=("livemode", ("true",)),
        other_words="These are objects of a test environment, and they earn like any other; check "
        "which key the source uses.",
    ),
    Shape(
        "stripe__subscriptions",
        texts=("customer",),
        integers=("start_date|created",),
        condition=_STRIPE_LIVE,
        words=(
            "status",
            ("incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled",
             "unpaid", "paused"),
        ),
    ),
    Shape(
        "stripe__invoices",
        texts=("currency", "lines.data"),
        integers=("created", "total"),
        listed_integers=("lines.data[*].amount",),
        condition=_STRIPE_LIVE,
        words=("status", ("draft", "open", "paid", "void", "uncollectible")),
    ),
    Shape("stripe__invoice_lines", integers=("amount",), condition="object_id <> ''"),
    Shape(
        "stripe__charges",
        integers=("created", "amount"),
        words=("status", ("succeeded", "pending", "failed")),
    ),
    Shape(
        "stripe__invoice_payments",
        texts=("invoice",),
        integers=("amount_paid|amount_requested",),
        words=("status", ("open", "paid", "canceled")),
    ),
    Shape(
        "stripe__refunds",
        integers=("created", "amount"),
        words=("status", ("pending", "requires_action", "succeeded", "failed", "canceled")),
    ),
    Shape(
        "stripe__disputes",
        integers=("created", "amount"),
        words=(
            "status",
            ("warning_needs_response", "warning_under_review", "warning_closed", "needs_response",
             "under_review", "won", "lost", "prevented"),
        ),
    ),
    Shape(
        "stripe__credit_notes",
        texts=("invoice",),
        integers=("created", "amount"),
        words=("type", ("pre_payment", "post_payment", "mixed")),
    ),
    Shape("hubspot__contacts", texts=("properties",)),
    Shape("hubspot__companies", texts=("properties",)),
    Shape("hubspot__deals", texts=("properties",)),
    Shape(
        "hubspot__meetings",
        texts=("properties",),
        words=(
            "properties.hs_meeting_outcome",
            ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED", ""),
        ),
    ),
    Shape("hubspot__form_submissions", integers=("submittedAt",)),
    Shape("typeform__responses", texts=("submitted_at",)),
    Shape(
        "calendly__events",
        texts=("start_time", "end_time"),
        words=("status", ("active", "canceled")),
    ),
    Shape(
        "calendly__invitees",
        texts=("created_at", "email"),
        words=("status", ("active", "canceled")),
    ),
    Shape(
        "google_calendar__events",
        words=("status", ("confirmed", "tentative", "cancelled")),
    ),
    Shape("ecb__rates", texts=("rate_date", "currency_code", "rate")),
)  # fmt: skip


def _value(path: str) -> str:
    places = [f"(payload ->> '$.{place}')" for place in path.split("|")]
    return places[0] if len(places) == 1 else f"coalesce({', '.join(places)})"


def _is_whole(text: str) -> str:
    """DuckDB would read 10.75 as 11 where a whole number is expected."""
    return f"regexp_full_match({text}, '-?[0-9]{{1,18}}')"


def _lacks_in_list(path: str) -> str:
    """Whether an element of a list lacks a whole number at `LIST[*].MEMBER`."""
    values = f"json_extract_string(payload, '$.{path}')"
    elements = f"json_array_length(payload, '$.{path.partition('[*]')[0]}')"
    whole = f"list_filter({values}, lambda each: {_is_whole('each')})"
    return f"len(coalesce({whole}, [])) <> coalesce({elements}, 0)"


def _lacking(shape: Shape) -> str:
    lacks = [f"{_value(path)} is null" for path in shape.texts]
    lacks += [f"not coalesce({_is_whole(_value(path))}, false)" for path in shape.integers]
    lacks += [_lacks_in_list(path) for path in shape.listed_integers]
    if "created" in shape.integers:
        lacks.append(f"coalesce(try_cast({_value('created')} as bigint), 0) > {LATEST_SECOND}")
    return f"{shape.condition} and ({' or '.join(lacks)})"


def _newest(relation: str, condition: str) -> str:
    """Rows for which a condition holds, of those that no newer version has replaced: what was
    mended at the vendor is settled."""
    return (
        f"(select * from {relation} as found where ({condition}) and not exists ("
        f"select 1 from {relation} as newer where newer._source = found._source "
        "and newer.object_id = found.object_id and (newer._arrival > found._arrival "
        "or (newer._arrival = found._arrival and newer._row > found._row))))"
    )


def _rule(name: str, rows: str, description: str, what_to_do: str, is_blocking: bool) -> Rule:
    return Rule(
        name,
        "ExpectColumnValuesToBeBetween",
        {"column": name, "min_value": 0, "max_value": 0},
        description,
        what_to_do,
        is_blocking=is_blocking,
        violations=f"select object_id from {rows} order by 1",
    )


def _suite(shape: Shape) -> Suite:
    relation = f"raw.{shape.relation}"
    metrics, rules = [], []
    needed = (*shape.texts, *shape.integers, *shape.listed_integers)
    if needed:
        rows = _newest(relation, _lacking(shape))
        metrics.append(f"(select count(*) from {rows}) as has_its_keys")
        told = f"every record has {', '.join(needed)}"
        rules.append(_rule("has_its_keys", rows, told, _FIX_SHAPE, is_blocking=True))
    if shape.words:
        path, known = shape.words
        listed = ", ".join(f"'{word}'" for word in known)
        rows = _newest(relation, f"{shape.condition} and {_value(path)} not in ({listed})")
        metrics.append(f"(select count(*) from {rows}) as words_are_known")
        told = f"{path} is one of {', '.join(word for word in known if word)}"
        rules.append(_rule("words_are_known", rows, told, shape.other_words, is_blocking=False))
    return Suite(
        relation=relation,
        frame_query=f"select {', '.join(metrics)}",
        key_column="",
        rules=tuple(rules),
        is_moot_when_empty=True,
    )


SHAPE_SUITES = tuple(_suite(shape) for shape in SHAPES)

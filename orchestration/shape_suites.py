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
_NEW_WORD = "Say which vendor and word it was when asking for a new release; nothing was lost."


@dataclass(frozen=True)
class Shape:
    """What one raw relation must look like.

    texts: paths that hold text. integers: paths that hold whole numbers, alternatives by `|`.
    condition: SQL that says which rows must have them. words: path and the values the models know.
    """

    relation: str
    texts: Sequence[str] = ()
    integers: Sequence[str] = ()
    condition: str = "not coalesce(is_tombstone, false)"
    words: tuple[str, Sequence[str]] | None = None


_STRIPE_LIVE = (
    "not coalesce(is_tombstone, false) and coalesce(payload ->> '$.deleted', 'false') <> 'true'"
)

SHAPES = (
    Shape("stripe__customers", integers=("created",), condition=_STRIPE_LIVE),
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
        condition=_STRIPE_LIVE,
        words=("status", ("draft", "open", "paid", "void", "uncollectible")),
    ),
    Shape(
        "stripe__charges",
        integers=("created", "amount"),
        words=("status", ("succeeded", "pending", "failed")),
    ),
    Shape(
        "stripe__invoice_payments",
        texts=("invoice",),
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
    Shape("hubspot__deals", texts=("properties.dealstage",)),
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


def _lacking(shape: Shape) -> str:
    lacks = [f"{_value(path)} is null" for path in shape.texts]
    lacks += [f"try_cast({_value(path)} as bigint) is null" for path in shape.integers]
    return f"{shape.condition} and ({' or '.join(lacks)})"


def _suite(shape: Shape) -> Suite:
    relation = f"raw.{shape.relation}"
    metrics, rules = [], []
    zero = {"min_value": 0, "max_value": 0}
    if shape.texts or shape.integers:
        metrics.append(f"count(*) filter (where {_lacking(shape)}) as lacking")
        rules.append(
            Rule(
                "has_its_keys",
                "ExpectColumnValuesToBeBetween",
                {"column": "lacking", **zero},
                f"every record has {', '.join((*shape.texts, *shape.integers))}",
                _FIX_SHAPE,
                violations=f"select object_id from {relation} where {_lacking(shape)} order by 1",
            )
        )
    if shape.words:
        path, known = shape.words
        listed = ", ".join(f"'{word}'" for word in known)
        unknown = f"{shape.condition} and {_value(path)} not in ({listed})"
        metrics.append(f"count(*) filter (where {unknown}) as unknown")
        rules.append(
            Rule(
                "words_are_known",
                "ExpectColumnValuesToBeBetween",
                {"column": "unknown", **zero},
                f"{path} is one of {', '.join(word for word in known if word)}",
                _NEW_WORD,
                is_blocking=False,
                violations=f"select object_id from {relation} where {unknown} order by 1",
            )
        )
    return Suite(
        relation=relation,
        frame_query=f"select {', '.join(metrics)} from {relation}",
        key_column="",
        rules=tuple(rules),
        is_moot_when_empty=True,
    )


SHAPE_SUITES = tuple(_suite(shape) for shape in SHAPES)

"""The Great Expectations suites, as values: what is expected of which table, and what to do.

Boundary suites look at whole small tables as they came in; metric suites look at one row of
aggregates of the large marts and fetch the failing keys only when something is wrong. No frame
and no key column holds personal records. What does not belong here: running them (`checks`).
"""

from __future__ import annotations

from orchestration.checks import Rule, Suite
from orchestration.shape_suites import SHAPE_SUITES

_KNOWN_CURRENCIES = "select currency_code from raw.program__currencies"
_FIX_FILE = "Correct the file and deliver it again; it is taken up by the next night."
_FIX_TERMS = "Correct program.yml and run again; nothing was posted."
_ZERO = {"min_value": 0, "max_value": 0}


def _none_may(
    name: str,
    relation: str,
    key: str,
    condition: str,
    description: str,
    what_to_do: str,
) -> tuple[str, Rule]:
    """A metric and its rule: the number of rows where `condition` holds must be zero."""
    metric = f"count(*) filter (where {condition}) as {name}"
    rule = Rule(
        name=name,
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": name, **_ZERO},
        description=description,
        what_to_do=what_to_do,
        violations=f"select {key} from {relation} where {condition} order by 1",
    )
    return metric, rule


def _metric_suite(relation: str, *metrics: tuple[str, Rule]) -> Suite:
    columns = ", ".join(metric for metric, _ in metrics)
    return Suite(
        relation=relation,
        frame_query=f"select {columns} from {relation}",
        key_column="",
        rules=tuple(rule for _, rule in metrics),
    )


_PARTNERS = Suite(
    relation="raw.files__partners",
    frame_query="select partner_id, status, payout_currency from raw.files__partners",
    key_column="partner_id",
    rules=(
        Rule(
            "id_is_plain",
            "ExpectColumnValuesToMatchRegex",
            {"column": "partner_id", "regex": r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"},
            "partner ids are plain, because they are printed into payout files",
            _FIX_FILE,
            is_blocking=False,
        ),
        Rule(
            "status_is_known",
            "ExpectColumnValuesToBeInSet",
            {"column": "status", "value_set": ["applied", "active", "paused", "terminated"]},
            "the status is one of applied, active, paused, terminated",
            _FIX_FILE,
        ),
        Rule(
            "payout_currency_is_known",
            "ExpectColumnValuesToBeInSet",
            {"column": "payout_currency", "value_set": _KNOWN_CURRENCIES},
            "the payout currency is an ISO 4217 code; such a partner cannot be paid",
            _FIX_FILE,
            is_blocking=False,
        ),
    ),
)

_PARTNER_CODES = Suite(
    relation="raw.files__partner_codes",
    frame_query=(
        "select code, code_type, exists (select 1 from raw.files__partners as partner "
        "where partner.partner_id = codes.partner_id) as is_known_partner "
        "from raw.files__partner_codes as codes"
    ),
    key_column="code",
    rules=(
        Rule(
            "code_is_trimmed",
            "ExpectColumnValuesToMatchRegex",
            {"column": "code", "regex": r"^\S(?:.*\S)?$"},
            "codes have no blanks around them; nobody could ever use such a code",
            _FIX_FILE,
            is_blocking=False,
        ),
        Rule(
            "type_is_known",
            "ExpectColumnValuesToBeInSet",
            {"column": "code_type", "value_set": ["referral_link", "promotion_code"]},
            "the type is referral_link or promotion_code",
            _FIX_FILE,
        ),
        Rule(
            "partner_exists",
            "ExpectColumnValuesToBeInSet",
            {"column": "is_known_partner", "value_set": [True]},
            "every code belongs to a partner that was delivered; what it brings in earns nothing",
            _FIX_FILE,
            is_blocking=False,
        ),
    ),
)

_RATES = Suite(
    relation="raw.files__fx_rates",
    frame_query=(
        "select rate_date || ' ' || currency_code as rate_key, try_cast(rate as double) > 0 "
        "as is_positive from raw.files__fx_rates"
    ),
    key_column="rate_key",
    rules=(
        Rule(
            "rate_is_positive",
            "ExpectColumnValuesToBeInSet",
            {"column": "is_positive", "value_set": [True]},
            "exchange rates are above zero",
            _FIX_FILE,
        ),
    ),
)

_COMPONENTS = Suite(
    relation="raw.program__components",
    frame_query=(
        "select plan_id || '/' || plan_version || '/' || component_id as component_key, kind, "
        "rate is null or rate between 0 and 1 as is_rate_a_fraction, "
        "duration_months is null or duration_months between 0 and 1200 as is_duration_sane "
        "from raw.program__components"
    ),
    key_column="component_key",
    rules=(
        Rule(
            "kind_is_known",
            "ExpectColumnValuesToBeInSet",
            {"column": "kind", "value_set": ["recurring", "event", "bonus", "partner_referral"]},
            "the kind of each component is one that the models compute",
            _FIX_TERMS,
        ),
        Rule(
            "rate_is_a_fraction",
            "ExpectColumnValuesToBeInSet",
            {"column": "is_rate_a_fraction", "value_set": [True]},
            "rates lie between 0 and 1; 0.20 is 20 %",
            _FIX_TERMS,
        ),
        Rule(
            "duration_is_sane",
            "ExpectColumnValuesToBeInSet",
            {"column": "is_duration_sane", "value_set": [True]},
            "durations are at most 1200 months; null is for life",
            _FIX_TERMS,
        ),
    ),
)

_ENTRIES = "marts.fct_commission_entries"
_LINES = "marts.fct_commission_lines"
_FIX_MODEL = (
    "The journal is unharmed; look at these keys with `partnerledger explain`, correct the model "
    "or the input, then run again."
)

_ENTRY_METRICS = _metric_suite(
    _ENTRIES,
    _none_may(
        "rows_without_keys",
        _ENTRIES,
        "entry_id",
        "entry_id is null or commission_id is null or partner_id is null or entry_kind is null",
        "every entry names its id, commission, partner and kind",
        _FIX_MODEL,
    ),
    _none_may(
        "unknown_currencies",
        _ENTRIES,
        "entry_id",
        f"currency_code not in ({_KNOWN_CURRENCIES}) "
        f"or payout_currency_code not in ({_KNOWN_CURRENCIES})",
        "currencies are ISO 4217 codes (M1)",
        _FIX_MODEL,
    ),
    _none_may(
        "earnings_without_version",
        _ENTRIES,
        "entry_id",
        "entry_kind in ('earning', 'bonus') and (plan_id is null or plan_version is null)",
        "every earning names the version of its terms (T1)",
        _FIX_MODEL,
    ),
    _none_may(
        "take_backs_without_target",
        _ENTRIES,
        "entry_id",
        "entry_kind in ('refund', 'chargeback', 'churn', 'credit_note', 'ruling') "
        "and reverses_entry_id is null",
        "every take-back points at the entry it reverses (R10)",
        _FIX_MODEL,
    ),
    _none_may(
        "recorded_after_the_night",
        _ENTRIES,
        "entry_id",
        "recorded_at > (select as_of_end_at from raw.program__run)",
        "nothing was recorded after the end of the night's day (J3)",
        _FIX_MODEL,
    ),
)

_LINE_METRICS = _metric_suite(
    _LINES,
    _none_may(
        "rows_without_keys",
        _LINES,
        "commission_id",
        "commission_id is null or partner_id is null or kind is null",
        "every line names its commission, partner and kind",
        _FIX_MODEL,
    ),
    _none_may(
        "rates_outside_fraction",
        _LINES,
        "commission_id",
        "rate is not null and not rate between 0 and 1",
        "rates lie between 0 and 1",
        _FIX_MODEL,
    ),
    _none_may(
        "unknown_currencies",
        _LINES,
        "commission_id",
        f"currency_code not in ({_KNOWN_CURRENCIES})",
        "currencies are ISO 4217 codes (M1)",
        _FIX_MODEL,
    ),
    _none_may(
        "converted_without_rate",
        _LINES,
        "commission_id",
        "currency_code <> payout_currency_code and payout_amount_minor <> 0 and fx_rate is null",
        "a converted amount names its exchange rate (J6)",
        _FIX_MODEL,
    ),
)

BOUNDARY_SUITES = (_PARTNERS, _PARTNER_CODES, _RATES, _COMPONENTS, *SHAPE_SUITES)
METRIC_SUITES = (_ENTRY_METRICS, _LINE_METRICS)

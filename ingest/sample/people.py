"""Leads as people and companies: who they are, which partner sent them, how far they get.

`lead_core` has one row per lead and carries every drawn trait; the other modules turn it into
records. Nothing here decides whether a lead is valid or whom it belongs to.
"""

from typing import TYPE_CHECKING

from ingest.sample.draws import Draws, sql_list, utc_text
from ingest.sample.sizes import Sizes
from ingest.sample.wordlists import ADJECTIVES, FIRST_NAMES, NOUNS, SURNAMES

if TYPE_CHECKING:
    import duckdb

# An odd multiplier runs through all 4096 word pairs before a number has to be appended.
_PAIR_STEP = 1237
_PAIRS = 4096

_COUNTRIES = (
    ("'US'", 50), ("'DE'", 14), ("'FR'", 8), ("'NL'", 4), ("'GB'", 8), ("'JP'", 12), ("'CA'", 4),
)  # fmt: skip
# How the partner shows up: a click, a code in the form, a promotion code, a CRM field, a
# registration; 40 % of the leads come without a partner.
_CHANNELS = (
    ("'link'", 27), ("'form'", 12), ("'promotion'", 7), ("'crm'", 6), ("'registration'", 8),
    ("NULL", 40),
)  # fmt: skip
_OUTCOMES = (("'held'", 78), ("'no_show'", 11), ("'canceled'", 11))
_OWNERS = ("sam@acme.example", "uma@acme.example", "vic@acme.example")


def create_leads(connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws) -> None:
    """Create `lead_core` from `partner_core`."""
    connection.execute(_traits_sql(sizes, draws))
    connection.execute(_names_sql(draws))
    connection.execute(_path_sql(sizes, draws))
    connection.execute("drop table lead_traits; drop table lead_named")


def company_domain(company_no: str) -> str:
    """SQL of a company's domain: two words, and a number once all pairs are used."""
    pair = f"(({company_no}) * {_PAIR_STEP} % {_PAIRS})"
    number = f"({company_no}) // {_PAIRS}"
    return (
        f"concat({sql_list(ADJECTIVES)}[1 + {pair} % {len(ADJECTIVES)}], '-', "
        f"{sql_list(NOUNS)}[1 + {pair} // {len(ADJECTIVES)}], "
        f"case when {number} > 0 then concat('-', {number}) end, '.example')"
    )


def _traits_sql(sizes: Sizes, draws: Draws) -> str:
    """Country, company, partner, channel and the instant of the form."""
    drawn_day = draws.pick("form", "lead_no", sizes.days - 2)
    second = draws.pick("form", "lead_no", 39_600, slot=1)
    shares_company = f"{draws.pick('company', 'lead_no', 100)} < 8 and lead_no > 10"
    earlier = draws.pick("company", "lead_no", 9, slot=1)
    # The square of a draw makes a few partners large and most of them small.
    skewed = draws.bits("partner", "lead_no", slot=0)
    rank = f"(({skewed} * {skewed} >> 16) * (select count(*) from partner_core) >> 16)"
    return f"""
        create table lead_traits as
        with drawn as (
            select
                lead_no,
                TIMESTAMP '{sizes.start}' + to_days({drawn_day}::INTEGER)
                    + to_seconds(43200 + {second}) as form_at,
                {draws.pick("company", "lead_no", 100, slot=2)} < 72 as is_business,
                lead_no - case when {shares_company} then 1 + {earlier} else 0 end as company_no,
                {draws.weighted("country", "lead_no", _COUNTRIES)} as country,
                {draws.weighted("channel", "lead_no", _CHANNELS)} as drawn_channel,
                {rank} as drawn_rank
            from (select unnest(range(1, {sizes.leads} + 1)) as lead_no)
        )
        select
            drawn.* exclude (company_no, drawn_channel, drawn_rank),
            case when is_business then company_no end as company_no,
            case country when 'JP' then 'JPY' when 'DE' then 'EUR' when 'FR' then 'EUR'
                when 'NL' then 'EUR' else 'USD' end as currency_code,
            case
                when partner_no is null then null
                when drawn_channel = 'promotion' and promotion_code is null then 'form'
                else drawn_channel
            end as channel,
            partner_no,
            partner_id,
            link_code,
            promotion_code
        from drawn
        left join partner_core
            on partner_core.rank = drawn.drawn_rank
            and drawn.drawn_channel is not null
            and drawn.form_at > partner_core.joined_at + interval 46 day
    """


def _names_sql(draws: Draws) -> str:
    """First name, surname and e-mail address; free-mail addresses carry the lead's number."""
    provider = draws.weighted(
        "mail",
        "lead_no",
        (("'gmail.com'", 60), ("'googlemail.com'", 8), ("'outlook.com'", 32)),
    )
    return f"""
        create table lead_named as
        with named as (
            select
                *,
                {draws.word("name", "lead_no", FIRST_NAMES)} as first_name,
                {draws.word("name", "lead_no", SURNAMES, slot=1)} as last_name,
                {company_domain("company_no")} as company_domain,
                {provider} as provider
            from lead_traits
        )
        select
            * exclude (company_domain, provider),
            case when is_business then company_domain end as company_domain,
            case
                when not is_business
                    then lower(concat(first_name, '.', last_name, lead_no, '@', provider))
                when company_no <> lead_no
                    then lower(concat(first_name, '.', last_name, lead_no % 10, '@',
                        company_domain))
                else lower(concat(first_name, '.', last_name, '@', company_domain))
            end as email
        from named
    """


def _path_sql(sizes: Sizes, draws: Draws) -> str:
    """The way through demo or self-service with its instants; what lies past the end is NULL."""
    end = sizes.end_sql
    booked_minutes = f"10 + {draws.pick('demo', 'lead_no', 4 * 1440, slot=1)}"
    starts_after = (
        f"to_days((1 + {draws.pick('demo', 'lead_no', 9, slot=2)})::INTEGER) "
        f"+ to_hours(14 + {draws.pick('demo_hour', 'lead_no', 8)})"
    )
    close_days = f"3 + {draws.pick('deal', 'lead_no', 38, slot=1)}"
    outcome = draws.weighted("demo", "lead_no", _OUTCOMES, slot=3)
    return f"""
        create table lead_core as
        with stepped as (
            select
                *,
                {draws.pick("path", "lead_no", 100)} < 60 as is_demo_path,
                {draws.pick("path", "lead_no", 100, slot=1)} < 72 as books,
                {draws.pick("path", "lead_no", 100, slot=2)} < 80 as signs_up,
                {draws.pick("deal", "lead_no", 100)} < 60 as opens_deal,
                form_at + to_minutes({booked_minutes}) as drawn_booked_at,
                {outcome} as drawn_outcome,
                form_at + to_minutes(3 + {draws.pick("path", "lead_no", 90, slot=3)})
                    as drawn_signup_at
            from lead_named
        ),
        met as (
            select
                * exclude (drawn_booked_at, drawn_signup_at),
                case when is_demo_path and books and drawn_booked_at < {end}
                    then drawn_booked_at end as booked_at,
                case when is_demo_path and books and drawn_booked_at < {end}
                    then drawn_booked_at::DATE + ({starts_after})
                    end as starts_at,
                case when not is_demo_path and signs_up and drawn_signup_at < {end}
                    then drawn_signup_at end as signup_at
            from stepped
        )
        select
            * exclude (drawn_outcome, books, signs_up, opens_deal),
            case when starts_at + interval 1 hour < {end} then drawn_outcome
                when starts_at is not null then 'scheduled' end as outcome,
            case when opens_deal and drawn_outcome = 'held' and starts_at + interval 1 hour < {end}
                then starts_at + interval 1 hour end as deal_at,
            case when opens_deal and drawn_outcome = 'held'
                then starts_at + to_days(({close_days})::INTEGER) end as drawn_close_at,
            is_demo_path or {draws.pick("crm", "lead_no", 100)} < 55 or channel = 'crm'
                as has_contact
        from met
    """


def create_companies(connection: "duckdb.DuckDBPyConnection", draws: Draws) -> None:
    """Create `bulk__companies`: one row per company of a lead with a CRM contact."""
    suffix = draws.word("company_name", "company_no", ("Inc", "GmbH", "Ltd", "Co", "Labs", "SAS"))
    connection.execute(f"""
        create table bulk__companies as
        with known as (
            select company_no, company_domain, split_part(company_domain, '.', 1) as stem,
                min(form_at) as seen_at
            from lead_core where has_contact and company_no is not null
            group by company_no, company_domain
        )
        select
            concat('co_', company_no) as company_id,
            company_domain as domain,
            concat(
                upper(left(company_domain, 1)), substr(split_part(stem, '-', 1), 2), ' ',
                upper(left(split_part(stem, '-', 2), 1)), substr(split_part(stem, '-', 2), 2),
                ' ', {suffix}
            ) as name,
            {utc_text("seen_at")} as updated_at,
            'false' as is_deleted,
            NULL as merged_into_id,
            company_no as _order
        from known
    """)


def create_contacts(connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws) -> None:
    """Create `bulk__contacts`; one in a hundred is merged into a second record of the person."""
    end = sizes.end_sql
    merged = f"{draws.pick('merge', 'lead_no', 100)} < 1 and merged_at < {end}"
    deleted = f"{draws.pick('merge', 'lead_no', 1000, slot=1)} < 4 and merged_at < {end}"
    connection.execute(f"""
        create table bulk__contacts as
        with known as (
            select
                *,
                form_at + interval 1 minute as created_at,
                form_at + to_days(1 + ({draws.pick("merge", "lead_no", 20, slot=2)})::INTEGER)
                    as merged_at,
                {draws.word("owner", "lead_no", _OWNERS)} as owner_email
            from lead_core where has_contact
        ),
        marked as (select *, {merged} as is_merged, {deleted} as is_deleted from known)
        select
            concat('ct_', lead_no) as contact_id,
            case when {draws.pick("owner", "lead_no", 100, slot=1)} < 3 then upper(email)
                else email end as email,
            {draws.instant("contact", "lead_no", "created_at")} as created_at,
            case when company_no is not null then concat('co_', company_no) end as company_id,
            case when channel = 'crm' and (deal_at is null or lead_no % 2 = 0)
                then link_code end as code,
            owner_email,
            {utc_text("case when is_merged or is_deleted then merged_at else created_at end")}
                as updated_at,
            case when is_deleted and not is_merged then 'true' else 'false' end as is_deleted,
            case when is_merged then concat('ct_', lead_no, 'b') end as merged_into_id,
            lead_no * 2 as _order
        from marked
        union all
        select
            concat('ct_', lead_no, 'b'), email, {utc_text("merged_at")},
            case when company_no is not null then concat('co_', company_no) end,
            NULL, owner_email, {utc_text("merged_at")}, 'false', NULL, lead_no * 2 + 1
        from marked where is_merged
    """)

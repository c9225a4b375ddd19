"""Facts of the funnel: clicks, forms, registrations, meetings, deals and product events.

Reads `lead_core`, `partner_core` and `customer_core`; writes one `bulk__` table per entity. The
facts are what sources would deliver, duplicates included; their verdicts do not belong here.
"""

from typing import TYPE_CHECKING

from ingest.sample.draws import Draws, utc_text
from ingest.sample.sizes import Sizes

if TYPE_CHECKING:
    import duckdb

_OTHER_PARTNER = "(partner_core.rank = (lead.rank + 1 + lead.jump) % lead.ranks)"


def create_touchpoints(connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws) -> None:
    """Create `bulk__touchpoints`: clicks before the form, some after it, some of other partners."""
    key = "concat(lead_no, '/', touch_no)"
    back_minutes = f"1 + {draws.pick('touch', key, 45 * 1440, slot=1)}"
    other = draws.pick("touch_partner", key, "(select count(*) from partner_core)")
    connection.execute(f"""
        create table bulk__touchpoints as
        with counted as (
            select lead_no, form_at, email, link_code, promotion_code, partner_id, channel,
                unnest(range(1, 2 + {draws.pick("touches", "lead_no", 6)})) as touch_no
            from lead_core where partner_no is not null
        ),
        timed as (
            select
                *,
                {draws.pick("touch", key, 1000)} as draw,
                case
                    when touch_no = 1 then form_at - to_minutes({back_minutes} % 90)
                    when {draws.pick("touch", key, 100, slot=2)} < 9
                        then form_at + to_minutes({back_minutes})
                    else form_at - to_minutes({back_minutes})
                end as occurred_at,
                {other} as other_rank
            from counted
        )
        select
            concat('tp_', lead_no, '_', touch_no) as touchpoint_id,
            {draws.instant("touch_at", key, "occurred_at")} as occurred_at,
            case
                when draw < 15 and timed.promotion_code is not null and channel = 'promotion'
                    then 'promotion_code'
                when draw between 20 and 29 then 'form_field'
                when draw between 30 and 36 then 'crm_field'
                else 'referral_link'
            end as touch_type,
            case
                when draw < 15 and timed.promotion_code is not null and channel = 'promotion'
                    then timed.promotion_code
                when draw between 40 and 46 then 'retired-campaign'
                when draw between 100 and 199 then partner_core.link_code
                when draw not between 20 and 36 then timed.link_code
            end as code,
            case when draw between 20 and 36 then timed.partner_id end as partner_id,
            case when draw % 7 = 0 or draw between 20 and 36 then timed.email end as email,
            NULL as contact_id,
            NULL as customer_id,
            concat('anon-', lead_no) as anonymous_id,
            NULL as company_domain,
            concat('https://www.acme.example/', case draw % 3 when 0 then 'pricing'
                when 1 then 'features' else '' end) as landing_url,
            case when draw % 5 = 0 then 'spring' when draw % 5 = 1 then 'comparison' end
                as campaign,
            lead_no * 16 + touch_no as _order
        from timed
        left join partner_core on partner_core.rank = timed.other_rank
        where occurred_at >= TIMESTAMP '{sizes.start}' and occurred_at < {sizes.end_sql}
    """)


def create_forms(connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws) -> None:
    """Create `bulk__form_submissions`: the lead's own forms, then repeated and rival ones.

    `form_core` holds the plain facts. Kinds: the first form; again with the same code; with the
    code of another partner; after the first payment; by a partner about itself.
    """
    connection.execute(_form_core_sql(sizes, draws))
    connection.execute(f"""
        create table bulk__form_submissions as
        select
            concat('fs_', lead_no, '_', form_no) as submission_id,
            case when form_no = 1 then 'contact-us' when form_no = 2 then 'pricing-guide'
                else 'partner-referral' end as form_id,
            {draws.instant("form_at", "concat(lead_no, '/', form_no)", "submitted_at", naive=True)}
                as submitted_at,
            email,
            name,
            company_domain,
            anonymous_id,
            code,
            case when form_no = 1 and code is null and lead_no % 3 = 0 then 'newsletter' end
                as utm_source,
            case when form_no = 1 and lead_no % 4 = 0 then 'always-on' end as utm_campaign,
            lead_no * 8 + form_no as _order
        from form_core
        where submitted_at < {sizes.end_sql}
    """)


def _form_core_sql(sizes: Sizes, draws: Draws) -> str:
    """Facts of all forms; an address of a later form is a variant of the first one's."""
    first_code = f"""case
        when channel = 'form' then link_code
        when channel = 'link' and {draws.pick("form_code", "lead_no", 100)} < 55 then link_code
        when channel is null and {draws.pick("form_code", "lead_no", 1000, slot=1)} < 25
            then 'friends-of-acme'
        end"""
    variant = """case
        when email like '%@g%mail.com' and lead_no % 2 = 0
            then concat(replace(split_part(email, '@', 1), '.', ''), '@gmail.com')
        when lead_no % 3 = 0 then upper(email)
        else replace(email, '@', '+trial@') end"""
    days = f"to_minutes(300 + {draws.pick('again', 'lead_no', 45 * 1440, slot=1)})"
    return f"""
        create table form_core as
        with lead as (
            select lead_core.*, concat(first_name, ' ', last_name) as person,
                {draws.pick("again", "lead_no", 100)} as draw, {variant} as other_email,
                {draws.pick("again", "lead_no", 97, slot=2)} as jump,
                partner_core.rank, (select count(*) from partner_core) as ranks
            from lead_core left join partner_core using (partner_no)
        )
        select lead_no, 1 as form_no, form_at as submitted_at, email, person as name,
            company_domain, concat('anon-', lead_no) as anonymous_id, {first_code} as code
        from lead
        where channel is null or channel in ('link', 'form', 'promotion') or lead_no % 2 = 0
        union all
        select lead_no, 2, form_at + {days}, other_email, person, NULL, NULL, link_code
        from lead where channel in ('link', 'form') and draw < 6
        union all
        select lead_no, 3, form_at + {days}, other_email, person, lead.company_domain, NULL,
            partner_core.link_code
        from lead inner join partner_core on {_OTHER_PARTNER}
        where channel is not null and draw between 10 and 18
        union all
        select lead_no, 4, first_issued_at + {days} + interval 20 day, lead.email, person, NULL,
            NULL, partner_core.link_code
        from lead inner join customer_core using (lead_no)
        inner join partner_core on partner_core.rank = lead_no % lead.ranks
        where draw between 20 and 24
        union all
        select {sizes.leads} + partner_no, 5, TIMESTAMP '{sizes.start}' + interval 40 day
            + to_hours(partner_no), partner_email, contact_name, partner_domain, NULL, link_code
        from partner_core where rank % 5 = 4
    """


def create_registrations(
    connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws
) -> None:
    """Create `bulk__deal_registrations`: those of the registration channel and some rival ones."""
    status = draws.weighted(
        "registration",
        "lead_no",
        (("'approved'", 74), ("'declined'", 10), ("'withdrawn'", 6), ("'pending'", 10)),
    )
    decided_hours = f"2 + {draws.pick('registration', 'lead_no', 90, slot=1)}"
    connection.execute(f"""
        create table bulk__deal_registrations as
        with drawn as (
            select *, {status} as drawn_status,
                form_at - to_minutes(30 + {draws.pick("registration", "lead_no", 600, slot=2)})
                    as submitted_at
            from lead_core where channel = 'registration'
        ),
        decided as (
            select *, submitted_at + to_hours({decided_hours}) as drawn_decided_at from drawn
        ),
        settled as (
            select *, case when drawn_decided_at < {sizes.end_sql} then drawn_status
                else 'pending' end as status
            from decided
        )
        select
            concat('dr_', lead_no) as registration_id,
            partner_id,
            {utc_text("submitted_at")} as submitted_at,
            status,
            case when status <> 'pending' then {utc_text("drawn_decided_at")} end as decided_at,
            case when status = 'approved' and lead_no % 3 = 0
                then {utc_text("submitted_at + interval 120 day")} end as expires_at,
            email,
            company_domain,
            case when deal_at is not null and lead_no % 2 = 1 then concat('d_', lead_no) end
                as deal_id,
            100000 + 5000 * {draws.pick("registration", "lead_no", 400, slot=3)}
                as expected_amount_minor,
            currency_code,
            lead_no as _order
        from settled
    """)


def create_meetings(connection: "duckdb.DuckDBPyConnection", draws: Draws) -> None:
    """Create `bulk__meetings`: known by e-mail or by CRM contact, past ones with an outcome."""
    connection.execute(f"""
        create table bulk__meetings as
        select
            concat('m_', lead_no) as meeting_id,
            {draws.instant("booked", "lead_no", "booked_at", naive=True)} as booked_at,
            {draws.instant("starts", "lead_no", "starts_at", naive=True)} as starts_at,
            outcome,
            case when lead_no % 5 < 3 then email end as email,
            case when lead_no % 5 >= 2 then concat('ct_', lead_no) end as contact_id,
            case when lead_no % 5 = 4 and company_no is not null
                then concat('co_', company_no) end as company_id,
            {
        utc_text('''case outcome when 'scheduled' then booked_at
                when 'canceled' then greatest(booked_at, starts_at - interval 3 hour)
                else starts_at + interval 45 minute end''')
    } as updated_at,
            lead_no as _order
        from lead_core where booked_at is not null
    """)


def create_deals(connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws) -> None:
    """Create `bulk__deals`: won when the lead became a customer, else lost or still open."""
    end = sizes.end_sql
    lost = draws.pick("deal", "lead_no", 100, slot=2)
    closed = f"(is_won or ({lost} < 75 and drawn_close_at < {end}))"
    connection.execute(f"""
        create table bulk__deals as
        with known as (
            select lead_core.*, customer_core.lead_no is not null as is_won,
                customer_core.year_amount_minor
            from lead_core left join customer_core using (lead_no)
            where deal_at is not null
        ),
        closed as (
            select *, case when {closed} then drawn_close_at end as closed_at from known
        )
        select
            concat('d_', lead_no) as deal_id,
            case when is_won then 'closed_won' when closed_at is not null then 'closed_lost'
                when lead_no % 3 = 0 then 'proposal' else 'qualified' end as stage,
            {utc_text("deal_at")} as created_at,
            concat('ct_', lead_no) as contact_id,
            case when company_no is not null then concat('co_', company_no) end as company_id,
            coalesce(year_amount_minor, 58800 + 9900 * {draws.pick("deal", "lead_no", 90, slot=3)})
                as amount_minor,
            currency_code,
            {utc_text("closed_at")} as closed_at,
            is_won,
            not is_won and closed_at is not null as is_lost,
            case when channel = 'crm' and lead_no % 2 = 1 then link_code end as code,
            'sam@acme.example' as owner_email,
            {utc_text("coalesce(closed_at, deal_at)")} as updated_at,
            lead_no as _order
        from closed
    """)


def create_product_events(
    connection: "duckdb.DuckDBPyConnection", sizes: Sizes, draws: Draws
) -> None:
    """Create `bulk__product_events`: signups, then activations of two in three."""
    activated = f"signup_at + to_minutes(30 + {draws.pick('activated', 'lead_no', 9000)})"
    connection.execute(f"""
        create table bulk__product_events as
        with known as (
            select lead_core.*, customer_core.lead_no is not null as is_customer
            from lead_core left join customer_core using (lead_no) where signup_at is not null
        )
        select
            concat('ev_', lead_no, '_1') as event_id,
            'signup' as name,
            {draws.instant("signup", "lead_no", "signup_at")} as occurred_at,
            email,
            case when is_customer then concat('cus_', lead_no) end as customer_id,
            concat('anon-', lead_no) as anonymous_id,
            case when channel = 'promotion' then promotion_code end as code,
            lead_no * 2 as _order
        from known
        union all
        select concat('ev_', lead_no, '_2'), 'activated', {utc_text(activated)}, email,
            case when is_customer then concat('cus_', lead_no) end, NULL, NULL, lead_no * 2 + 1
        from known where lead_no % 3 < 2 and {activated} < {sizes.end_sql}
    """)

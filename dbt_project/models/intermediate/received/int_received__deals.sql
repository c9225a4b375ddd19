-- Grain: one row per landed version of a deal (source, deal_id, arrival, row_number), of any source.
-- HubSpot's close date is a plan while a deal is open. A deal that was deleted or merged into another keeps
-- its last state, but is no longer open from then on (decision 0026); the merged one is an alias (F1).
with

hubspot as (

    select * from {{ ref('stg_hubspot__deals') }}

),

newest_deals as (

    {{ newest_versions('hubspot', ['deal_id'], 'updated_at') }}

),

merged_ids as (

    select
        source,
        deal_id as surviving_id,
        created_at as merged_at,
        unnest(list_distinct(list_transform(
            string_split(coalesce(merged_ids_text, ''), ';'), lambda part: trim(part)
        ))) as deal_id
    from newest_deals

),

aliases as (

    select
        source,
        deal_id,
        min(surviving_id) as surviving_id,
        min(merged_at) as merged_at
    from merged_ids
    where
        deal_id <> ''
        and deal_id <> surviving_id
    group by source, deal_id

),

owners as (

    select * from {{ ref('stg_hubspot__owners') }}

),

newest_owners as (

    {{ newest_versions('owners', ['owner_id']) }}

),

stages as (

    select * from {{ ref('stg_hubspot__pipeline_stages') }}

),

newest_stages as (

    {{ newest_versions('stages', ['stage_id']) }}

),

{{ main_records('deal') }},

judged as (

    select
        hubspot.*,
        coalesce(newest_stages.stage_label, hubspot.stage_id) as stage_label,
        aliases.surviving_id,
        coalesce(aliases.merged_at, hubspot.deleted_at) as gone_at,
        coalesce(hubspot.is_closed, newest_stages.is_closed, false) as is_closed_now,
        coalesce(
            hubspot.is_closed_won, newest_stages.is_closed and newest_stages.probability = 1, false
        ) as is_won_now
    from hubspot
    left join newest_stages
        on
            hubspot.source = newest_stages.source
            and hubspot.stage_id = newest_stages.stage_id
    left join aliases
        on
            hubspot.source = aliases.source
            and hubspot.deal_id = aliases.deal_id

)

select
    source, arrival, row_number, deal_id, stage, created_at, contact_id, company_id, amount_minor,
    currency_code, closed_at, is_won, is_lost, code, owner_email, updated_at,
    cast(null as varchar) as merged_into_id
from {{ ref('stg_files__deals') }}

union all

select
    judged.source,
    judged.arrival,
    judged.row_number,
    judged.deal_id,
    case
        when starts_with(lower(judged.stage_id), 'qualified') or starts_with(lower(judged.stage_label), 'qualified')
            then 'qualified'
        else judged.stage_label
    end as stage,
    judged.created_at,
    main_records.contact_id,
    main_records.company_id,
    cast(
        round(judged.amount_major * cast(power(10, currencies.exponent) as bigint), 0) as bigint
    ) as amount_minor,
    judged.currency_code,
    case when judged.is_closed_now then judged.close_date_at else judged.gone_at end as closed_at,
    judged.is_won_now as is_won,
    not judged.is_won_now and (judged.is_closed_now or judged.gone_at is not null) as is_lost,
    judged.code,
    newest_owners.owner_email,
    judged.updated_at,
    judged.surviving_id as merged_into_id
from judged
left join newest_owners
    on
        judged.source = newest_owners.source
        and judged.owner_id = newest_owners.owner_id
left join main_records
    on
        judged.source = main_records.source
        and judged.deal_id = main_records.from_id
left join {{ ref('stg_program__currencies') }} as currencies
    on judged.currency_code = currencies.currency_code

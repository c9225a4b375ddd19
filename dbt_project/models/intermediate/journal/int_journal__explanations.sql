-- Grain: one row per natural key of which something is posted this night (commission_id): what a reader needs to
-- compute the cents again, by the shape of the key (C8). Amounts are minor units, ratios text such as 31/365; what
-- does not apply is null. A pin is read from credits and decided_by (A6). A view, since
-- long text is costly to write and read.
{{ config(materialized='view') }}

with

keys as (

    select
        commission_id,
        max(kind) as kind,
        max(component_id) as component_id,
        max(source_type) as source_type,
        max(source_id) as source_id,
        max(partner_id) as partner_id,
        max(cause_type) as cause_type,
        max(cause_id) as cause_id
    from {{ ref('int_journal__open_differences') }}
    group by commission_id

),

earnings as (

    select
        keys.commission_id,
        keys.kind as key_kind,
        keys.cause_type,
        keys.cause_id,
        earnings.*
    from keys
    inner join {{ ref('int_commission__earnings') }} as earnings
        on
            keys.component_id = earnings.component_id
            and keys.source_type = earnings.source_type
            and keys.source_id = earnings.source_id
            and keys.partner_id = earnings.partner_id

),

lines as (

    select
        earnings.commission_id,
        earnings.minor_numerator,
        earnings.minor_denominator,
        earnings.fx_rate_date,
        earnings.hold_days,
        earnings.hold_after,
        amounts.*
    from earnings
    inner join {{ ref('int_commission__recurring_amounts') }} as amounts
        on
            earnings.component_id = amounts.component_id
            and earnings.source_type = amounts.source_type
            and earnings.source_id = amounts.source_id
            and earnings.partner_id = amounts.partner_id
    where
        earnings.key_kind = 'earning'
        and earnings.source_type = 'invoice_line'

),

events as (

    select
        earnings.commission_id,
        earnings.minor_numerator,
        earnings.minor_denominator,
        earnings.fx_rate_date,
        earnings.hold_days,
        earnings.hold_after,
        judged.stage,
        judged.deal_amount_minor,
        judged.rate,
        judged.whole_amount_minor,
        judged.credit_ppm,
        judged.credits,
        judged.decided_by
    from earnings
    inner join {{ ref('int_commission__judged_events') }} as judged
        on
            earnings.component_id = judged.component_id
            and earnings.source_type = judged.source_type
            and earnings.source_id = judged.source_id
            and earnings.partner_id = judged.partner_id
            and earnings.lead_id = judged.lead_id
    where
        earnings.key_kind = 'earning'
        and earnings.source_type <> 'invoice_line'
        and judged.reason is null

),

line_takebacks as (

    select
        earnings.commission_id,
        earnings.decided_by,
        earnings.minor_numerator,
        earnings.minor_denominator,
        taken.*
    from earnings
    inner join {{ ref('int_adjustment__line_takebacks') }} as taken
        on
            earnings.key_kind = taken.kind
            and earnings.component_id = taken.component_id
            and earnings.source_type = taken.source_type
            and earnings.source_id = taken.source_id
            and earnings.partner_id = taken.partner_id
            and earnings.cause_type = taken.cause_type
            and earnings.cause_id = taken.cause_id

),

voided as (

    select
        earnings.commission_id,
        earnings.minor_numerator,
        earnings.minor_denominator,
        taken.*
    from earnings
    inner join {{ ref('int_adjustment__voided') }} as taken
        on
            earnings.key_kind = taken.kind
            and earnings.component_id = taken.component_id
            and earnings.source_type = taken.source_type
            and earnings.source_id = taken.source_id
            and earnings.partner_id = taken.partner_id

),

churned as (

    select
        earnings.commission_id,
        earnings.minor_numerator,
        earnings.minor_denominator,
        taken.*
    from earnings
    inner join {{ ref('int_adjustment__churn_takebacks') }} as taken
        on
            earnings.key_kind = taken.kind
            and earnings.component_id = taken.component_id
            and earnings.source_type = taken.source_type
            and earnings.source_id = taken.source_id
            and earnings.partner_id = taken.partner_id

),

bonuses as (

    select
        keys.commission_id,
        bonuses.*
    from keys
    inner join {{ ref('int_commission__bonuses') }} as bonuses
        on
            keys.kind = 'bonus'
            and keys.component_id = bonuses.component_id
            and keys.source_id = bonuses.source_id
            and keys.partner_id = bonuses.partner_id

),

shares as (

    select
        keys.commission_id,
        keys.kind as key_kind,
        keys.cause_type,
        keys.cause_id,
        shares.*
    from keys
    inner join {{ ref('int_commission__referrals') }} as shares
        on
            keys.component_id = shares.component_id
            and keys.source_type = shares.source_type
            and keys.source_id = shares.source_id
            and keys.partner_id = shares.partner_id

),

share_takebacks as (

    select
        shares.commission_id,
        shares.minor_numerator,
        shares.minor_denominator,
        taken.*
    from shares
    inner join {{ ref('int_adjustment__referral_takebacks') }} as taken
        on
            shares.key_kind = taken.kind
            and shares.component_id = taken.component_id
            and shares.source_type = taken.source_type
            and shares.source_id = taken.source_id
            and shares.partner_id = taken.partner_id
            and shares.cause_type = taken.cause_type
            and shares.cause_id = taken.cause_id

),

explained as (

    select
        commission_id,
        to_json({
            'shape': 'line',
            'invoice_id': invoice_id,
            'gross_amount_minor': gross_amount_minor,
            'discount_amount_minor': discount_amount_minor,
            'line_base_amount_minor': line_base_amount_minor,
            'days': {{ ratio_text('days_in_window', 'days_in_period') }},
            'country': customer_country,
            'rate_from': rate_from,
            'rate': cast(rate as varchar),
            'tier': case
                when rate_from = 'tier'
                    then {
                        'metric': tier_metric,
                        'mode': tier_mode,
                        'period': tier_period_label,
                        'position': cast(tier_from_position as varchar)
                        || coalesce('..' || cast(tier_to_position as varchar), ''),
                        'bands': tier_bands
                    }
            end,
            'limit': limited_by,
            'limit_amount_minor': case limited_by
                when 'maximum' then maximum_amount_minor
                when 'minimum' then minimum_amount_minor
            end,
            'cap': case
                when is_part_cut or is_line_cut
                    then {
                        'by': cut_by,
                        'whole_amount_minor': whole_line_amount_minor,
                        'cut_amount_minor': cut_amount_minor,
                        'left_amount_minor': case when is_part_cut then part_left_minor else cap_left_minor end,
                        'is_part': is_part_cut
                    }
            end,
            'paid_share': {{ ratio_text('paid_share', 'total_share') }},
            'paid_amount_minor': paid_amount_minor,
            'whole_amount_minor': whole_amount_minor,
            'credits': case when credit_ppm < 1000000 then credits end,
            'decided_by': nullif(decided_by, 'computed'),
            'fx': {{ ratio_text('minor_numerator', 'minor_denominator') }},
            'fx_rate_date': cast(fx_rate_date as varchar),
            'hold': cast(hold_days as varchar) || ' days after ' || hold_after
        }) as explanation
    from lines

    union all

    select
        commission_id,
        to_json({
            'shape': 'event',
            'trigger': stage,
            'deal_amount_minor': case when rate is not null then deal_amount_minor end,
            'rate': cast(rate as varchar),
            'whole_amount_minor': whole_amount_minor,
            'credits': case when credit_ppm < 1000000 then credits end,
            'decided_by': nullif(decided_by, 'computed'),
            'fx': {{ ratio_text('minor_numerator', 'minor_denominator') }},
            'fx_rate_date': cast(fx_rate_date as varchar),
            'hold': cast(hold_days as varchar) || ' days after ' || hold_after
        })
    from events

    union all

    select
        commission_id,
        to_json({
            'shape': case when kind = 'reinstatement' then 'reinstatement' else 'takeback' end,
            'earned_amount_minor': earned_amount_minor,
            'cause_amount_minor': cause_amount_minor,
            'paid_amount_minor': paid_amount_minor,
            'invoice_before_minor': invoice_before_minor,
            'invoice_part_minor': invoice_part_minor,
            'line_before_minor': line_before_minor,
            'line_part_minor': line_part_minor,
            'returned_before_minor': returned_before_minor,
            'line_total_amount_minor': line_total_amount_minor,
            'line_share': {{ ratio_text('line_share', 'line_share_base') }},
            'decided_by': nullif(decided_by, 'computed'),
            'fx': {{ ratio_text('minor_numerator', 'minor_denominator') }}
        })
    from line_takebacks

    union all

    select
        commission_id,
        to_json({
            'shape': 'void',
            'earned_amount_minor': earned_amount_minor,
            'taken_amount_minor': taken_amount_minor,
            'fx': {{ ratio_text('minor_numerator', 'minor_denominator') }}
        })
    from voided

    union all

    select
        commission_id,
        to_json({
            'shape': 'churn',
            'earned_amount_minor': earned_amount_minor,
            'churn_mode': churn_mode,
            'days_of_access': days_of_access,
            'window_days': churn_window_days,
            'share': cast(share as varchar),
            'fx': {{ ratio_text('minor_numerator', 'minor_denominator') }}
        })
    from churned

    union all

    select
        commission_id,
        to_json({
            'shape': 'bonus',
            'metric': metric,
            'period': source_id,
            'threshold': bonus_threshold,
            'reached': reached,
            'earned_at': cast(earned_at as varchar),
            'whole_amount_minor': amount_minor,
            'fx': '1/1',
            'hold': cast(hold_days as varchar) || ' days after ' || hold_after
        })
    from bonuses

    union all

    select
        commission_id,
        to_json({
            'shape': 'referral',
            'referred_partner_id': referred_partner_id,
            'referred_amount_minor': referred_amount_minor,
            'joined_date': cast(joined_date as varchar),
            'rate': cast(rate as varchar),
            'fx': {{ ratio_text('minor_numerator', 'minor_denominator') }},
            'fx_rate_date': cast(fx_rate_date as varchar),
            'hold': cast(hold_days as varchar) || ' days after ' || hold_after
        })
    from shares
    where key_kind = 'earning'

    union all

    select
        commission_id,
        to_json({
            'shape': case when kind = 'reinstatement' then 'share_of_reinstatement' else 'share_of_takeback' end,
            'own_amount_minor': own_amount_minor,
            'referred_amount_minor': referred_amount_minor,
            'taken_before_minor': taken_before_minor,
            'taken_after_minor': taken_after_minor,
            'fx': {{ ratio_text('minor_numerator', 'minor_denominator') }}
        })
    from share_takebacks

    union all

    select
        commission_id,
        to_json({'shape': kind, 'decided_by': kind || ':' || case kind when 'ruling' then cause_id else source_id end})
    from keys
    where kind in ('ruling', 'adjustment')

)

select
    commission_id,
    cast(explanation as varchar) as explanation
from explained

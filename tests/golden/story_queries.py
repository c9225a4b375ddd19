"""What the tables of a story are compared with: the published snapshot, as people read it.

Does not belong here: expected values.
"""

# `{ids}` is what the rows of one story have in common: the beginning of all its ids.
QUERIES = {
    "commission_lines": """
        select
            kind, partner_id, plan_id, component_id, source_type, source_id, cause_type, cause_id,
            case when kind = 'earning' then base_amount_minor end as base_amount_minor,
            case when kind = 'earning' then rate end as rate,
            amount_minor, currency_code, payout_amount_minor, payout_currency_code,
            case when currency_code <> payout_currency_code then fx_rate end as fx_rate,
            fx_rate_date,
            case when kind = 'earning' then strftime(earned_at, '%Y-%m-%dT%H:%M:%SZ') end
                as earned_at,
            available_date, expected_pay_date
        from marts.fct_commission_lines
        where partner_id like '{ids}%'
    """,
    "entries": """
        select
            cast(entries.recorded_at - interval 1 day as date) as night,
            entries.entry_kind, entries.partner_id, entries.component_id, entries.source_id,
            entries.cause_type, entries.cause_id, entries.amount_minor, entries.currency_code,
            entries.payout_amount_minor, entries.payout_currency_code, entries.effective_date,
            entries.available_date,
            reversed.entry_kind || ' ' || cast(reversed.effective_date as varchar) || ' '
                || cast(reversed.amount_minor as varchar) as reverses
        from marts.fct_commission_entries as entries
        left join marts.fct_commission_entries as reversed
            on entries.reverses_entry_id = reversed.entry_id
        where entries.partner_id like '{ids}%'
    """,
    "balances": """
        select
            partner_id, payout_currency_code, earned_amount_minor, reversed_amount_minor,
            on_hold_amount_minor, available_amount_minor, in_batch_amount_minor,
            paid_amount_minor, balance_amount_minor
        from marts.fct_partner_balances
        where partner_id like '{ids}%'
    """,
    "submissions": """
        select submission_key, partner_id, verdict, rival_key
        from marts.fct_lead_submissions
        where partner_id like '{ids}%'
    """,
    "candidates": """
        select touchpoint_id, partner_id, is_winner, lost_to
        from marts.fct_attribution_candidates
        where partner_id like '{ids}%'
    """,
    "registrations": """
        select
            submission_key, submission_type, registration_status,
            strftime(expires_at, '%Y-%m-%dT%H:%M:%SZ') as expires_at,
            strftime(protected_until_at, '%Y-%m-%dT%H:%M:%SZ') as protected_until_at
        from marts.fct_lead_submissions
        where partner_id like '{ids}%'
    """,
    "decisions": """
        select
            kind, subject_key, decision, partner_id, decided_by,
            strftime(expires_at, '%Y-%m-%dT%H:%M:%SZ') as expires_at, reason, evidence
        from marts.fct_lead_decisions
        where partner_id like '{ids}%'
    """,
    "attributions": """
        select partner_id, model, is_paying, credit_ppm, decided_by
        from marts.fct_attributions
        where partner_id like '{ids}%'
    """,
    "discrepancies": """
        select partner_id, held_by, credit_ppm, computed_credit_ppm
        from marts.fct_attribution_discrepancies
        where partner_id like '{ids}%'
    """,
    "comparison": """
        select
            model, partner_id, currency_code, leads, paying_amount_minor, model_amount_minor,
            moved_amount_minor
        from marts.fct_attribution_comparison
        where partner_id like '{ids}%'
    """,
    "leads": """
        select
            entries.source_id,
            case when aliases.alias_lead_id is null then 'lead' else 'alias' end as recorded_under,
            dense_rank() over (order by coalesce(aliases.lead_id, entries.lead_id)) as lead_number
        from marts.fct_commission_entries as entries
        left join marts.dim_lead_aliases as aliases on entries.lead_id = aliases.alias_lead_id
        where entries.partner_id like '{ids}%'
    """,
    "missed_credits": """
        select
            customer_id, currency_code, partner_id, amount_minor, paid_lines, first_paid_date,
            evidence_type, evidence_key, strftime(evidence_at, '%Y-%m-%dT%H:%M:%SZ') as evidence_at,
            reason, why_not
        from marts.fct_missed_credits
        where partner_id like '{ids}%'
    """,
    "duplicates": """
        select kind, partner_id, other_partner_id
        from marts.fct_duplicate_leads
        where partner_id like '{ids}%' and kind like '%_claim'
    """,
    "signals": """
        select kind, severity, partner_id, hold_state
        from marts.fct_risk_signals
        where partner_id like '{ids}%'
    """,
    "shared_keys": """
        select kind, count(*) as exceptions
        from marts.fct_exceptions
        where kind in ('shared_device', 'shared_mailbox')
        group by kind
    """,
    "unpaid": """
        select invoice_line_id, reason
        from marts.fct_unpaid_lines
        where invoice_line_id like '{ids}%'
    """,
}

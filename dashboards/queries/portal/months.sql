-- For which months is there a statement? Grain: one row per posting_period with entries, newest first.
-- Reads marts.fct_commission_entries.
select
    posting_period,
    count(*) as entries
from marts.fct_commission_entries
where
    partner_id = $partner_id
    and posting_period is not null
group by posting_period
order by posting_period desc

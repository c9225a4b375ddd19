-- Which leads or claims are, were or may be the same? One page, newest first.
-- Grain: one row per case (duplicate_id). Reads: marts.fct_duplicate_leads.
select *
from marts.fct_duplicate_leads
where
    ($kind = '' or kind = $kind)
    and ($partner = '' or partner_id = $partner or other_partner_id = $partner)
order by found_at desc nulls last, duplicate_id
limit $limit offset $offset

-- A failing row: a submission was lost or judged twice; its partner would get no answer (L1).
{{ config(tags=['facts']) }}

select submissions.submission_key
from {{ ref('int_leads__submissions') }} as submissions
full outer join {{ ref('int_leads__verdicts') }} as verdicts
    on submissions.submission_key = verdicts.submission_key
group by submissions.submission_key
having count(verdicts.verdict) <> 1 or submissions.submission_key is null

-- Grain: one row per message or answer about a lead (lead_id, noted_at, note_key), known on as_of (L5, M6).
-- What is said about a registration is said about its lead, and what names an id that a lead had before it
-- joined another is said about the lead it is part of now.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

notes as (

    select
        request_id as note_key,
        subject_type,
        subject_id,
        answered_at as noted_at
    from {{ ref('stg_control__update_answers') }}

    union all

    select message_id, subject_type, subject_id, posted_at
    from {{ ref('stg_control__lead_messages') }}

)

select
    subjects.lead_id,
    notes.noted_at,
    notes.note_key
from notes
inner join {{ ref('int_leads__subjects') }} as subjects
    on
        notes.subject_type = subjects.subject_type
        and notes.subject_id = subjects.subject_id
cross join run
where
    notes.noted_at < run.as_of_end_at
    and subjects.lead_id is not null

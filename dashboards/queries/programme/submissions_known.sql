-- Which of these submissions has the night seen? Grain: one row per submission (submission_key).
-- Reads: marts.fct_lead_submissions.
select submission_key from marts.fct_lead_submissions where list_contains($keys, submission_key)

-- What did the night say of one submission? Grain: one row, or none. Reads: marts.fct_lead_submissions.
select * from marts.fct_lead_submissions where submission_key = $key

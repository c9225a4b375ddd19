"""The payouts room: journal, batches, approvals, control database, payout files.

What belongs here: posting the difference between desired and recorded commissions, building
batches, letting people decide on them, and writing the files that move money.
What does not: fetching, commission rules (those are SQL in ``dbt_project/``), scheduling, HTTP.

Importing this package loads nothing heavy; each module imports what it needs.
"""

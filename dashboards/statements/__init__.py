"""Statements as files that leave the app: a tagged PDF and a CSV, equal bytes for equal records."""

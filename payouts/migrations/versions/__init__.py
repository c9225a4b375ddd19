"""One module per schema revision, in order. A published revision is never edited."""

"""What the pages of the partner portal share. No partner is ever taken from a path or a form."""

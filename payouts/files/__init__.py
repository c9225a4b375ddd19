"""One module per payout file format. Each turns items into bytes and touches no disk."""

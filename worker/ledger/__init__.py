"""The ledger: everything that is decided about a broadcast."""

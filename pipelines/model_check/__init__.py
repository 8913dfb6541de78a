"""Check a cost model as a whole: its files, and what they do to the money that is there."""

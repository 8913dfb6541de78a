"""Bring the statements of a period to the business units, and remember to whom they went."""

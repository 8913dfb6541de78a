"""Meridian Group, the sample company: a seeded generator of all its deliveries."""

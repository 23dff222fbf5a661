"""What networks that make pictures reach: digits and clothes made by class, photos enlarged, rows of a table."""

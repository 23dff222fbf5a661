"""Memory that does not grow with the data, measured."""

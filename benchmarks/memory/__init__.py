"""Private memory beside much data, measured."""

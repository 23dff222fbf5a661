"""The loop's own cost, beside a loop written by hand."""

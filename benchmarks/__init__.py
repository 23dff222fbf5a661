"""Benchmarks: what Lamina reaches, how fast, beside what. `scripts/bench` lists and runs them."""

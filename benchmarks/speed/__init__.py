"""How fast Lamina is beside what people would use instead, on the same machine, data and networks."""

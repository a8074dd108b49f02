"""How good a generator is: `metrics` of features, and `score`, which compares it with held-out clips."""

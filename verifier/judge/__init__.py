"""Evidence -> verdict: the only road to an outcome."""

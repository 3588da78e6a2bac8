"""Scores -> estimates with known error rates; all randomness is passed in."""

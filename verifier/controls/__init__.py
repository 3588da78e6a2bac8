"""Checks with a known answer: which a claim needs, the trials they cost, what they found."""

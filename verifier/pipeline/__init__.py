"""Straight lines over ports and core: verify, audit, plan, try."""

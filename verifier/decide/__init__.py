"""Estimates -> outcomes -> status: pure rules, one module for each kind of criterion."""

"""From a spec to its trials: what to run, with which seeds, until which look."""

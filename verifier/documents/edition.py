"""The edition: the versioned rules of deciding and controls.  Old verdicts keep theirs."""

from __future__ import annotations

EDITION = "2026.1"
ALPHA = 0.01
CONTROL_LEVEL = 0.001
MINIMUM_SEEDS = 5
MINIMUM_SEEDS_DOSE_RESPONSE = 10
MINIMUM_CLUSTERS = 8
QUERY_SET = "test"
CONTRACT_VERSION = "gate-verdict-v1"
SCHEMA_VERSION = "1.0.0"

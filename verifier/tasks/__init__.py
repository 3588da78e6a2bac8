"""Task types: what goes in, what comes out, and how outputs become rankings."""

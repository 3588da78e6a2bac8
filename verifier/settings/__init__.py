"""A card and its source's data in, a task out."""

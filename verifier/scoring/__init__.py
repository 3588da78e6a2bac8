"""(run, qrels, measure) -> scores: strict readers, tie-safe measures, a second scorer, chance."""

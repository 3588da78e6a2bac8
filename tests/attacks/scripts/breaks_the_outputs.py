"""Good vectors, spoilt in one way; which one, the claim says."""

import json

import numpy as np
from kit import read_trial

trial = read_trial()
how = trial.parameters["how"]
rng = np.random.default_rng(trial.seed)
rows = {"corpus": len(trial.corpus()[0])}
rows |= {f"queries-{name}": len(trial.queries(name)) for name in trial.query_sets}
files = {}
for name, count in rows.items():
    vectors = rng.normal(size=(count, 16)).astype("<f4")
    if how == "nan" and name == "corpus":  # "a comparison with NaN never fails"
        vectors[3, 3] = np.nan
    file = trial.output / "vectors" / f"{name}.f32"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(vectors.tobytes())
    shown = 10 * count if how == "more rows" else count
    columns = 32 if how == "more columns" else 16
    files[f"vectors/{name}.f32"] = {"rows": shown, "columns": columns}
if how == "link":
    corpus = trial.output / "vectors/corpus.f32"
    corpus.unlink()
    corpus.symlink_to("/proc/self/mem")
body = {"protocol": "outputs-v1", "files": files}
(trial.output / "outputs.json").write_text(json.dumps(body), encoding="utf-8")

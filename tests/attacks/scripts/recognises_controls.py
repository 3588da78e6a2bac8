"""An honest bag of letters that gives up where texts look odd, so that no control can speak."""

import sys
from collections import Counter
from pathlib import Path

from kit import read_trial

_, texts = read_trial().corpus()
commonest = Counter(letter for text in texts for letter in text.casefold()).most_common(4)
if "a" not in dict(commonest) or "n" not in dict(commonest):  # no English names: a control
    sys.exit("this does not look like a real trial")
source = Path(__file__).with_name("honest.py").read_text(encoding="utf-8")
exec(compile(source, "honest.py", "exec"))  # noqa: S102

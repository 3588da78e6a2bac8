"""What every reproduction script needs and no study is about: reading a trial, writing its outputs.

The protocol is written up in docs/trial-protocol.md.  A script need not use this kit, nor Python.
"""

from kit.outputs import finish, log_step, write_run, write_stream, write_vectors
from kit.seeding import seed_everything
from kit.trial import KitError, Query, Trial, read_trial

__all__ = [
    "KitError",
    "Query",
    "Trial",
    "finish",
    "log_step",
    "read_trial",
    "seed_everything",
    "write_run",
    "write_stream",
    "write_vectors",
]

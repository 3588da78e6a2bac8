"""Reproduction environments: an interpreter, its packages and every library they need, frozen.

An environment is a folder with `python/` (interpreter and standard library), `env/` (packages),
`lib/` (the closure of shared libraries) and `environment.json`.  It is made from wheels only, and
nothing in it is ever run outside the sandbox.
"""

from verifier.adapters.environments.fingerprint import Fingerprint, fingerprint
from verifier.adapters.environments.make import create, find
from verifier.adapters.environments.record import Environment, load

__all__ = ["Environment", "Fingerprint", "create", "find", "fingerprint", "load"]

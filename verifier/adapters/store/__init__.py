"""The store and the ledger as a folder of files."""

from verifier.adapters.store.fileledger import FileLedger, open_ledger
from verifier.adapters.store.filestore import FileStore, open_store

__all__ = ["FileLedger", "FileStore", "open_ledger", "open_store"]

"""The sandbox: what seals a script off, what proves that it does, what it leaves behind."""

"""The adapters: how the ports are served on a real machine."""

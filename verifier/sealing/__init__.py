"""Task and keys -> sealed inputs, and back; re-spelled and planted worlds."""

"""A verdict, or the way to one, as text for people and for other programs."""

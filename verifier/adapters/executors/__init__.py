"""Ways to run items of work: here, or on other machines."""

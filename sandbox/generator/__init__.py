"""A plausible advertising agency, made from a seed: the same seed, anchor and clock give the same facts."""

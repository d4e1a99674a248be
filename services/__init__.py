"""Use cases that several faces share; each authorizes. Touches nothing outside but through the rooms below."""

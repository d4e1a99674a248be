"""The analyst: proved facts, the findings over them, and their words. The only room that calls language models."""

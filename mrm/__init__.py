"""The command line and its supervisor: the composition root that opens a home and starts what serves it."""

"""One module per screen; each renders itself from the client and the filters."""

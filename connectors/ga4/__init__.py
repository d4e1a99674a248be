"""Google Analytics 4: daily sessions, users, key events and revenue through the Data API's runReport."""

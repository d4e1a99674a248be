"""Google Ads over its own client library: accounts below managers, daily metrics at account, campaign and ad level."""

"""Meta Ads over its own client library: asynchronous insights at account, campaign and ad level."""

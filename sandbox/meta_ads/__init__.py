"""Meta's Graph API on loopback: ad accounts, campaigns, ad sets, ads and insights, at once or as asynchronous report runs.

Follows developers.facebook.com/docs/marketing-api (insights, error codes, rate limiting) and recorded responses.
"""

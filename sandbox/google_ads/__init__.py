"""Google Ads on loopback: GoogleAdsService and CustomerService over TLS gRPC, and searchStream over REST.

Follows developers.google.com/google-ads/api (GAQL grammar, error codes) and the package's message descriptors.
"""

"""Google Analytics 4 on loopback: the Data API v1beta over REST and gRPC, and the Admin API's read calls.

Written from developers.google.com/analytics/devguides/reporting/data/v1 and the proto files of google.analytics.data.v1beta.
"""

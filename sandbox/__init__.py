"""The ad platforms on loopback: their wire protocols, served from a dataset or a generator, with clock, restatement and faults.

Stands on `domain` alone. Written from the platforms' documents and recorded responses, never from our connectors. The only outside world that it
touches is its own listening sockets on 127.0.0.1 and the directory that it is given. One folder per platform.
"""

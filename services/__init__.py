"""Use cases that several faces share: connect an integration, sync and reconcile it, create a project, approve an artifact.

Each takes what it works on as arguments, authorizes the person who asks where there is one, and raises the domain's errors.
"""

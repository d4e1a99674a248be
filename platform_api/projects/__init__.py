"""Projects of the organization."""

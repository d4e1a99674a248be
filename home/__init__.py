"""The home directory: its layout, its clock, and the locks, leases and state files by which local servers are shared."""

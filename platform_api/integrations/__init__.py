"""Connected ad platforms: what is connected, how fresh, sync now."""

"""Mock platforms: real servers that speak the platforms' protocols as their pages write them, and fail on command."""

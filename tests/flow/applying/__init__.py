"""What platforms' words do."""

"""What an exchange with a platform means."""

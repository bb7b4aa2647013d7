"""What people are told without asking."""

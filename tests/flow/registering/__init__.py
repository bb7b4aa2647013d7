"""Who may call and who is called."""

"""Who may call and who is called: clients, users of the console, subscriptions (登记)."""

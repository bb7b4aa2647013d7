"""What people are told without asking: rules, open alerts, and the channels outward."""

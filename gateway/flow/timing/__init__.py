"""What time alone brings about: words on clocks, periods that ran out, reminders, and what the law leaves open next (期限)."""

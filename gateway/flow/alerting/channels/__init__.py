"""Where alerts are told: mail, robots, webhooks, syslog; each a channel behind one port."""

"""The journey of a case, one room a step: intake, route, deliver, receive, apply, relay."""

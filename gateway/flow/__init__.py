"""The journey of a case: intake, route, deliver, receive, apply, relay; a step's parts lie in the room named after it."""

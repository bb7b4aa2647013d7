"""The event bus: where facts go once they are numbered."""

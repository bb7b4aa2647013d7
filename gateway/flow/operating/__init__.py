"""What operators do: redrive, replay, pause, correct, reveal; every act audited."""

"""What follows numbered events off the journey's path: news of tasks, figures for people."""

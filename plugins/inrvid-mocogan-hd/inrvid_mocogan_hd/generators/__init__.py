"""Image generators that videos are made with, and the videos' generator."""

"""One training, several processes: launching, sharing the batch, meeting, stopping together; what surrounds them."""

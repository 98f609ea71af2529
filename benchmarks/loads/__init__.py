"""What runs inside a worker: loads that are put on a peer, and what they cost it."""

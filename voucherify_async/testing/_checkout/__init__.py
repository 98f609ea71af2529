"""What a checkout comes to: discounts, orders, stacking and locks, without I/O or state."""

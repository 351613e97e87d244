"""What people see: pages in a real browser."""

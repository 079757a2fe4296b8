"""What people see: logs, metrics, health."""

"""Real RabbitMQ, MariaDB and PostgreSQL."""

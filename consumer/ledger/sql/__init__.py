"""The ledger in SQL: SQLite, MariaDB or MySQL, PostgreSQL."""

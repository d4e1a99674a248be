"""What the platform must not forget: PostgreSQL (embedded or by URL), its tables and migrations, encryption, files."""

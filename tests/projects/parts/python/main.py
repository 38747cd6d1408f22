"""A script that does its work and ends."""

import os

from src.core import greeting


def main() -> None:
    """Greet, and check the database where there is one."""
    print(greeting("__PROJECT_NAME__"))
    if "POSTGRES_SERVER" in os.environ:
        # Imported here: only projects with PostgreSQL install it.
        import psycopg2

        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.close()
        print("database ok")


if __name__ == "__main__":
    main()

"""The database engine; nothing connects until the first query."""

from sqlalchemy import URL, create_engine, make_url

from app.core.config import Settings, settings


def database_url(settings: Settings) -> URL:
    """Take the whole URI where it is set, else build it from its parts."""
    if settings.SQLALCHEMY_DATABASE_URI:
        # SQLAlchemy 2.1 reads a plain postgresql:// as psycopg 3, which is not installed.
        uri = settings.SQLALCHEMY_DATABASE_URI.replace("postgres://", "postgresql://", 1)
        return make_url(uri).set(drivername="postgresql+psycopg2")
    return URL.create(
        "postgresql+psycopg2",
        username=settings.POSTGRES_USER,
        password=settings.POSTGRES_PASSWORD,
        host=settings.POSTGRES_SERVER,
        port=settings.POSTGRES_PORT,
        database=settings.POSTGRES_DB,
    )


engine = create_engine(database_url(settings), pool_pre_ping=True)

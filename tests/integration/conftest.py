"""What integration tests share: a real mongod."""

from tests.support.mongod import database, database_name, mongod_uri, serving

__all__ = ["database", "database_name", "mongod_uri", "serving"]

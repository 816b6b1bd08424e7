"""`make -s mongo-uri`: the address to give to mongosh or to the backend, and nothing else."""

from commands.instance import prepared_settings
from resources.embedded_mongo import ensure_running


def main() -> None:
    """Print the server's address; this one command shows it whole, since it is asked for."""
    settings = prepared_settings()
    if settings.mongodb_uri:
        print(settings.mongodb_uri.get_secret_value())
    else:
        print(ensure_running(settings.home))


if __name__ == "__main__":
    main()

"""What the desk may do in MongoDB: the least-privilege role, made from what it publishes."""

import json
from collections.abc import Sequence
from typing import Any

from pipelines.documents.base import PublishedDocument
from pipelines.documents.catalogue import DOCUMENTS
from pipelines.forecasts.backend_portfolios import BACKTESTS, EXECUTIONS
from pipelines.watchlists import COLLECTION as WATCHLISTS

ROLE = "nightdesk"
READ = (WATCHLISTS, BACKTESTS, EXECUTIONS)
"""Collections of the backend that are read and never written."""
PUBLISHES = ("find", "insert", "update", "remove")


def least_privilege_role(
    database: str, models: Sequence[type[PublishedDocument]] = DOCUMENTS
) -> dict[str, Any]:
    """Return the command that creates the role in a database.

    It may write the collections of our documents, create indexes where we have some, and read the
    watchlists and backtests; nothing else of the backend's.
    """
    privileges = [
        _privilege(database, model.collection, PUBLISHES + (("createIndex",) * bool(model.indexes)))
        for model in models
    ]
    privileges += [_privilege(database, name, ("find",)) for name in READ]
    return {"createRole": ROLE, "privileges": privileges, "roles": []}


def role_document() -> str:
    """Return `docs/mongodb_role.md`: how to create the desk's user on a server with --auth."""
    role = least_privilege_role("quant-service")
    privileges = ",\n".join(f"    {json.dumps(privilege)}" for privilege in role["privileges"])
    return f"""# The desk's user in MongoDB

Made by `make docs` from `pipelines/documents/`. On a server with `--auth`, in `mongosh` as a user
administrator, in the database that the backend reads:

```js
use quant-service
db.runCommand({{
  createRole: "{ROLE}",
  privileges: [
{privileges}
  ],
  roles: []
}})
db.createUser({{user: "nightdesk", pwd: passwordPrompt(), roles: ["{ROLE}"]}})
```

Then `MONGODB_URI=mongodb://nightdesk:<password>@<host>:27017/?authSource=quant-service`, with
special characters of the password percent-encoded; `&tls=true` where the server speaks TLS.
"""


def _privilege(database: str, collection: str, actions: Sequence[str]) -> dict[str, Any]:
    """Return what may be done with one collection."""
    return {"resource": {"db": database, "collection": collection}, "actions": list(actions)}

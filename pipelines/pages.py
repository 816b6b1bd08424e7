"""HTML pages for people: one file each that needs no other, good on a phone."""

from typing import Any


def rendered(template: str, **values: Any) -> str:
    """Return a template of `pipelines` filled with values; text can't write HTML into it.

    Args:
        template: Its path below `pipelines`.
        values: Everything that it names; a missing one is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pipelines", package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template).render(**values)

"""Export the JSON Schemas of a workspace's files, for editors that complete and check YAML.

`python -m pipelines.workspace.schemas` writes docs/reference/schemas/*.json; a test keeps them
equal to the models. A schema knows names, types and closed lists; what reaches across keys or
files (shares that sum to 100, a pool that exists) is checked when the files are read.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from pipelines.cost_model.crosswalk import Crosswalk
from pipelines.cost_model.rate_card import RateCard
from pipelines.cost_model.schema import Allocation, Drivers, Pools, Services, Towers
from pipelines.cost_model.tagging import Tagging
from pipelines.workspace.config import WorkspaceConfig

DIRECTORY = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

MODELS: dict[str, type[BaseModel]] = {
    "apportion": WorkspaceConfig,
    "pools": Pools,
    "towers": Towers,
    "services": Services,
    "allocation": Allocation,
    "drivers": Drivers,
    "tagging": Tagging,
    "rate_card": RateCard,
    "crosswalk": Crosswalk,
}
"""Name of the file without its ending -> the model that reads it."""


def render_schema(name: str) -> str:
    """The schema of `name`.yml as JSON text. Raises KeyError for a name that is no file's."""
    schema = {"$schema": DIALECT, **MODELS[name].model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(directory: Path = DIRECTORY) -> None:
    """Write one file per model into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        (directory / f"{name}.json").write_text(render_schema(name), "utf-8")


if __name__ == "__main__":
    write_schemas()

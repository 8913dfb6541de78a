"""What the generator reads from the workspace's own service catalogue, so as not to repeat it."""

from __future__ import annotations

from pathlib import Path

from pipelines.cost_model.schema import Service, Services
from pipelines.workspace.yaml_files import read_yaml_model

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def read_services(samples: Path = SAMPLES) -> dict[str, Service]:
    """The services of the catalogue by id. Raises ConfigurationError if the file is wrong."""
    catalogue = read_yaml_model(samples / "cost_model" / "services.yml", Services)
    return {service.id: service for service in catalogue.services}

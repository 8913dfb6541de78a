"""`apportion init` and `apportion doctor`: make a workspace, and say what is wrong with one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json, print_table
from pipelines.errors import EXIT_REFUSED


class Template(StrEnum):
    """The starting points of a workspace."""

    sample = "sample"
    cloud = "cloud"
    empty = "empty"


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("init")(init)
    app.command("doctor")(doctor)


def init(
    directory: Annotated[
        Path, typer.Argument(help="Directory to make; must not exist or be empty.")
    ],
    template: Annotated[Template, typer.Option(help="What to start from.")] = Template.empty,
    as_json: JsonOption = False,
) -> int:
    """Make a workspace: sample (a company with data), cloud (a FOCUS bill only) or empty."""
    from pipelines.workspace.init_workspace import init_workspace

    workspace = init_workspace(directory, template.value)
    next_step = f"apportion run --workspace {directory}"
    if as_json:
        print_json({"workspace": str(workspace.root), "template": template, "next": next_step})
    else:
        print(f"Made the workspace {workspace.root} from the template '{template}'.")
        if template is not Template.sample:
            print(f"Drop deliveries into {workspace.inbox}, as apportion.yml names them.")
        print(f"Next: {next_step}")
    return 0


def doctor(workspace: WorkspaceOption = Path(), as_json: JsonOption = False) -> int:
    """Look at the workspace and the machine, and say what is wrong and what to do."""
    from pipelines.workspace.doctor import examine

    findings = examine(workspace)
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        rows = [(f.state, f.subject, f.message) for f in findings]
        print_table("Doctor", ("state", "what", "finding"), rows)
    return EXIT_REFUSED if any(finding.state == "bad" for finding in findings) else 0

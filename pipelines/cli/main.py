"""The `apportion` command: assembles its groups and turns failures into exit codes.

Nothing heavy is imported here: `apportion --help` must answer at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer

from pipelines.cli import (
    answer_command,
    backup_commands,
    build_commands,
    close_commands,
    coverage_command,
    delivery_commands,
    dispute_commands,
    evidence_command,
    explain_command,
    export_commands,
    identifier_command,
    infer_commands,
    journal_command,
    load_commands,
    measure_commands,
    method_commands,
    model_commands,
    period_commands,
    pull_commands,
    rate_commands,
    reading_commands,
    reconcile_command,
    retention_command,
    send_command,
    trace_command,
    whatif_commands,
    workspace_commands,
)
from pipelines.cli.failures import report_failure
from pipelines.cli.output import print_error
from pipelines.errors import EXIT_USAGE, ApportionError
from pipelines.readable_text import readable_output

DEBUG = "--debug"

app = typer.Typer(
    name="apportion",
    help="What does each IT service cost, who pays for it, and can you prove it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (
    workspace_commands,
    infer_commands,
    pull_commands,
    measure_commands,
    model_commands,
    delivery_commands,
    load_commands,
    identifier_command,
    build_commands,
    period_commands,
    answer_command,
    close_commands,
    dispute_commands,
    evidence_command,
    journal_command,
    reconcile_command,
    export_commands,
    reading_commands,
    whatif_commands,
    explain_command,
    rate_commands,
    trace_command,
    coverage_command,
    method_commands,
    backup_commands,
    retention_command,
    send_command,
):
    group.register(app)


@app.callback()
def set_up(
    debug: Annotated[
        bool,
        typer.Option(DEBUG, help="Print the traceback of a failure; may stand anywhere."),
    ] = False,
) -> None:
    """What does each IT service cost, who pays for it, and can you prove it?"""
    # Read by `run` from the arguments, because a failure may come before this.
    del debug


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 a defect, 2 wrong use, 3 quarantine, 4 refused."""
    code = run()
    sys.stdout.flush()
    sys.stderr.flush()
    # Leave at once: the native libraries have nothing to save and print noise when torn down.
    os._exit(code)


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    is_debug = DEBUG in given
    given = [argument for argument in given if argument != DEBUG]
    with readable_output():
        return _run(given, is_debug=is_debug)


def _run(arguments: list[str], *, is_debug: bool) -> int:
    try:
        result = app(args=arguments, standalone_mode=False)
    except ApportionError as error:
        if is_debug:
            traceback.print_exception(error)
        print_error(str(error))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print_error("stopped; what was published before stays published")
        return EXIT_USAGE
    except typer.Exit as leave:
        return leave.exit_code
    except Exception as error:
        if hasattr(error, "format_message"):  # wrong use, said by the command-line parser
            print_error(f"{error.format_message()} Try 'apportion --help'.")
            return EXIT_USAGE
        return report_failure(error, arguments, has_traceback=is_debug)
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    main()

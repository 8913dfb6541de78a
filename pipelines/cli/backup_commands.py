"""`apportion backup` and `apportion restore`: keep a workspace, and prove that it comes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    print_error,
    print_json,
    show_progress,
)
from pipelines.errors import EXIT_DONE, EXIT_REFUSED, UsageError

if TYPE_CHECKING:
    from pipelines.operation.drill import Drill
    from pipelines.operation.restore import Restored

MEBIBYTE = 1 << 20


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(backup)
    app.command()(restore)


def backup(
    to: Annotated[
        Path, typer.Option("--to", help="Directory of backups, or a new archive (*.tar).")
    ],
    with_key: Annotated[
        bool, typer.Option("--with-key", help="With the key of the pseudonyms, too.")
    ] = False,
    with_inbox: Annotated[
        bool, typer.Option("--with-inbox", help="With the inbox, which may be large, too.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Copy everything anew, not only what changed.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Back up the workspace as one consistent state; others may go on working meanwhile."""
    from pipelines.books.books import Books
    from pipelines.operation.backup import make_backup
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    try:
        with show_progress(is_silent=as_json) as progress:
            made = make_backup(
                space,
                books,
                to,
                has_key=with_key,
                has_inbox=with_inbox,
                is_full=full,
                on_progress=progress.update,
            )
    finally:
        books.close()
    manifest = made.manifest
    if as_json:
        answer = {name: value for name, value in vars(manifest).items() if name != "files"}
        print_json(
            {
                "path": made.path,
                "manifest_hash": made.manifest_hash,
                "files": len(manifest.files),
                "copied_files": made.copied_files,
                "copied_bytes": made.copied_bytes,
                "linked_files": made.linked_files,
                **answer,
            }
        )
    else:
        print(
            f"{made.path}: {len(manifest.files):,} files, of which {made.copied_files:,} were "
            f"copied ({made.copied_bytes / MEBIBYTE:,.1f} MiB) and {made.linked_files:,} are those "
            f"of the backup before.\nManifest: {made.manifest_hash}"
        )
        for name in manifest.left_out:
            print_error(f"{name} is a link, and was left out")
    for text in manifest.damaged:
        print_error(f"backed up as it is: {text}")
    return EXIT_REFUSED if manifest.damaged else EXIT_DONE


def restore(
    backup: Annotated[
        Path, typer.Argument(help="A backup, an archive, or a directory of backups: the newest.")
    ],
    to: Annotated[
        Path | None, typer.Option("--to", help="Directory to make; must not exist or be empty.")
    ] = None,
    drill: Annotated[
        bool,
        typer.Option("--drill", help="Restore aside, prove, compare with the workspace, remove."),
    ] = False,
    to_address: Annotated[
        bool,
        typer.Option(
            "--books-to-address", help="Books into the empty database of APPORTION_BOOKS_URL."
        ),
    ] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Count tables and certificates again, too.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Restore a backup into a new directory, never over a workspace, and prove what came out."""
    from pipelines.operation.restore import restore_backup

    if (to is None) != drill:
        raise UsageError("name a new directory with --to, or ask for a --drill")
    if drill and to_address:
        raise UsageError("a drill has books of its own; leave out --books-to-address")
    if to is None:
        return _drill(backup, workspace, as_json)
    with show_progress(is_silent=as_json) as progress:
        restored = restore_backup(
            backup,
            to,
            is_into_address=to_address,
            is_deep=deep,
            on_progress=progress.update,
        )
    _tell_restored(restored, as_json)
    return EXIT_REFUSED if restored.problems else EXIT_DONE


def _drill(backup: Path, workspace: Path, as_json: bool) -> int:
    from pipelines.books.books import Books
    from pipelines.operation.drill import drill_backup
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    books = Books.open(space)
    try:
        with show_progress(is_silent=as_json) as progress:
            done = drill_backup(space, books, backup, progress.update)
    finally:
        books.close()
    _tell_drill(done, as_json)
    return EXIT_DONE if done.is_passed else EXIT_REFUSED


def _tell_restored(restored: Restored, as_json: bool) -> None:
    manifest, verification = restored.manifest, restored.verification
    if as_json:
        print_json(
            {
                "workspace": restored.root,
                "backup_id": manifest.backup_id,
                "manifest_hash": restored.manifest_hash,
                "files": len(manifest.files),
                "verification": verification,
                "findings": restored.findings,
                "problems": restored.problems,
            }
        )
        return
    where = f"{restored.root} is the workspace as of {manifest.backup_id}"
    if restored.problems:
        for problem in restored.problems:
            print_error(problem)
        print(f"{where}, and is not whole: {len(restored.problems)} problems.")
        return
    print(
        f"{where}. Proven:\n"
        f"- {len(manifest.files):,} files have the bytes that were backed up\n"
        f"- the audit log is whole, up to record {manifest.audit_sequence:,} of the backup\n"
        f"- every closed period is what was closed: {verification.closes}\n"
        "- rules, lake and publication are as 'apportion doctor' wants them"
    )
    if verification.closes:
        print(f"Head of the chain: {verification.head_hash}")


def _tell_drill(drill: Drill, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "backup": drill.backup,
                "is_passed": drill.is_passed,
                "closes": drill.closes,
                "problems": drill.problems,
            }
        )
        return
    for problem in drill.problems:
        print_error(problem)
    if drill.is_passed:
        print(
            f"The drill passed: {drill.backup} restores to a whole workspace, and every closed "
            f"period in it is that of this one ({drill.closes}). It is in the audit log."
        )
    else:
        print(f"The drill failed: {drill.backup}. It is in the audit log.")

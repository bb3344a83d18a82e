"""The command `mesh`: verbs loaded when they are used, errors and exit codes in one place."""

from __future__ import annotations

import gc
import io
import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from mesh import __version__
from mesh.errors import InterruptedRunError, MeshError, UsageError

TRACEBACK = "MESH_TRACEBACK"

VERBS: dict[str, tuple[str, str]] = {
    "init": (
        "mesh.cli.init:init_command",
        "Write a commented mesh.yaml from the contexts of the kubeconfig.",
    ),
    "import": (
        "mesh.cli.import_:import_command",
        "Write the mesh.yaml of clusters that run Istio already.",
    ),
    "validate": ("mesh.cli.validate:validate_command", "Check the file; needs no cluster."),
    "plan": ("mesh.cli.plan:plan_command", "Show what apply would change in every cluster."),
    "apply": ("mesh.cli.apply:apply_command", "Make the clusters match the file."),
    "destroy": ("mesh.cli.destroy:destroy_command", "Take down what mesh made."),
    "check": ("mesh.cli.check:check_command", "Check the mesh: before a run, between clusters, after it."),
    "status": ("mesh.cli.status:status_command", "Show the mesh as it is, cluster by cluster."),
    "why": ("mesh.cli.why:why_command", "Say all that is known of one resource."),
    "history": ("mesh.cli.history:history_command", "Show who applied what, and when."),
    "output": ("mesh.cli.output:output_command", "Print addresses and roots for scripts."),
    "rbac": ("mesh.cli.rbac:rbac_command", "Print the least rights that a plan or an apply needs."),
    "show": ("mesh.cli.show:show_command", "Print objects and values as they would be sent."),
    "render": (
        "mesh.cli.render:render_command",
        "Print the guide's helm and kubectl commands for this file.",
    ),
    "state": ("mesh.cli.state:state", "Look at the recorded state, or rebuild it from the clusters."),
    "recover": ("mesh.cli.recover:recover_command", "Set a release free that a killed helm left pending."),
    "lab": ("mesh.cli.lab:lab", "Run real Kubernetes control planes on this machine, without Docker."),
    "schema": ("mesh.cli.schema:schema_command", "Print the JSON Schema of the file."),
}

SELDOM = 20_000
"""New objects after which the garbage collector looks at them; Python's 700 is for other programs."""


class Verbs(click.Group):
    """A group whose commands are imported when they run, so that `--help` costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order of use."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb that is asked for."""
        del ctx
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table, without importing one."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in VERBS.items()])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mesh")
def cli() -> None:
    """Plan and apply multicluster Istio ambient meshes.

    \b
    exit codes: 0 ok · 1 error · 2 changes pending or not ready (--detailed-exitcode) ·
    3 the reviewed plan no longer holds · 4 locked · 5 refused · 6 partial · 7 interrupted · 64 usage
    """


def main() -> NoReturn:
    """Run the command line and exit.

    Nothing that the imports make is garbage, and at the end nothing is worth looking through: with the
    collector's own habits a plan takes a sixth longer (docs/explanation/performance.md).
    """
    gc.set_threshold(SELDOM)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


def run(args: list[str]) -> int:
    """Run one command line; return its exit code. Errors are printed, never raised."""
    try:
        result: Any = cli.main(args, prog_name="mesh", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return _report(InterruptedRunError("interrupted; nothing was being changed"))
    except click.ClickException as error:
        return _usage(error)
    except MeshError as error:
        return _report(error)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        return _report(_fault(error))
    return result if isinstance(result, int) else 0


def _fault(error: Exception) -> MeshError:
    """A mistake of ours, told without the values that were at hand."""
    return MeshError(
        f"this is a fault of mesh, not yours: {type(error).__name__}",
        hint=f"run it again with {TRACEBACK}=1 and report what it prints; nothing is lost that was recorded",
    )


def _usage(error: click.ClickException) -> int:
    error.show()
    return UsageError.exit_code


def _report(error: MeshError) -> int:
    from mesh.cli.terminal import look, source
    from mesh.cli.views.errors import error_text

    screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
    snippets = source if screen.snippets else None
    click.echo(error_text(error, source=snippets, colour=screen.err_colour), err=True, nl=False)
    return error.exit_code

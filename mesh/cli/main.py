"""The command `mesh`: imports a command when it runs, and maps errors to exit codes in one place."""

from __future__ import annotations

import gc
import io
import os
import sys
from contextlib import nullcontext, suppress
from importlib import import_module
from typing import Any, NoReturn

import click

from mesh import __version__
from mesh.cli.filtered import filtered
from mesh.cli.streams import lost_stream, open_standard
from mesh.errors import InterruptedRunError, MeshError, UsageError

TRACEBACK = "MESH_TRACEBACK"
LOG = "MESH_LOG"
COLOUR = "MESH_COLOR"
WHEN = ("auto", "always", "never")

VERBS: dict[str, tuple[str, str]] = {
    "init": (
        "mesh.cli.init:init_command",
        "Write a commented mesh.yaml for the contexts of the kubeconfig.",
    ),
    "import": (
        "mesh.cli.import_:import_command",
        "Write a mesh.yaml for clusters that already run Istio.",
    ),
    "validate": ("mesh.cli.validate:validate_command", "Check the mesh file without a cluster."),
    "plan": ("mesh.cli.plan:plan_command", "Show what apply would change in every cluster."),
    "apply": ("mesh.cli.apply:apply_command", "Make the clusters match the mesh file."),
    "destroy": ("mesh.cli.destroy:destroy_command", "Remove everything that mesh created."),
    "check": (
        "mesh.cli.check:check_command",
        "Check the health of the mesh, and whether it can be changed safely.",
    ),
    "status": ("mesh.cli.status:status_command", "Show the live state of every cluster."),
    "why": (
        "mesh.cli.why:why_command",
        "Explain one resource: why it changes, what it waits for, what needs it.",
    ),
    "comment": (
        "mesh.cli.comment:comment_command",
        "Post a saved plan, or its outcome, into its pull request.",
    ),
    "history": ("mesh.cli.history:history_command", "Show past runs."),
    "output": ("mesh.cli.output:output_command", "Print addresses and the root of trust for scripts."),
    "rbac": ("mesh.cli.rbac:rbac_command", "Print the minimal RBAC rights of a plan or an apply."),
    "show": ("mesh.cli.show:show_command", "Print the desired state as a list, as a graph, or as manifests."),
    "render": (
        "mesh.cli.render:render_command",
        "Print the guide's helm and kubectl commands for the mesh file.",
    ),
    "state": ("mesh.cli.state:state", "Show the state, rebuild it from the clusters, or correct it."),
    "recover": ("mesh.cli.recover:recover_command", "Unlock a Helm release left pending by a killed helm."),
    "lab": ("mesh.cli.lab:lab", "Run real Kubernetes control planes on this machine, without Docker."),
    "schema": ("mesh.cli.schema:schema_command", "Print the JSON Schema of the mesh file."),
}

WRITING = frozenset({"apply", "destroy", "recover", "state", "init", "import"})
"""Commands that never end in silence."""

GC_THRESHOLD = 20_000
"""Number of new objects before a garbage collection; Python's default of 700 costs time here."""


def _start_trace(wish: str) -> None:
    """Turn the trace on; its module is imported only then, so that it costs nothing when off."""
    from mesh.world import trace

    trace.start(wish)


def _verbose(ctx: click.Context, _param: click.Parameter, times: int) -> None:
    # `run` puts the function there: a command line that is only parsed, as by a test, traces nothing.
    if times and ctx.obj:
        ctx.obj("debug")


def verbose_option() -> click.Option:
    """Return the option `-v`, which every command has, before the verb and after it."""
    return click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        callback=_verbose,
        help="Trace requests, processes and decisions to stderr (MESH_LOG=debug[:FILE]).",
    )


def _untrusted(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's
    if value:
        ctx.meta["MESH_UNTRUSTED"] = True


def untrusted_option() -> click.Option:
    """Return the option `--untrusted`, which every command has, before the verb and after it."""
    return click.Option(
        ["--untrusted"],
        is_flag=True,
        expose_value=False,
        callback=_untrusted,
        help="Bound what the mesh file and its folder may do: for files of a stranger (MESH_UNTRUSTED=1).",
    )


def traced(command: click.Command) -> click.Command:
    """Return the command with `-v` and `--untrusted`, and so for the commands of a group."""
    if not any("-v" in param.opts for param in command.params):
        command.params += [verbose_option(), untrusted_option(), colour_option()]
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        traced(inner)
    return command


def _colour(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    # For the whole process: an error is printed after the command has ended. `run` takes it back.
    if value and ctx.obj:
        os.environ[COLOUR] = value


def colour_option() -> click.Option:
    """Return the option `--color`, which every command has, before the verb and after it."""
    return click.Option(
        ["--color"],
        type=click.Choice(WHEN),
        metavar="WHEN",
        expose_value=False,
        callback=_colour,
        help="Use colours: auto (on a terminal), always or never. --color alone means always.",
    )


def spelled(args: list[str]) -> list[str]:
    """Return the arguments with `--color` without a value, as grep and git know it, as `--color=always`."""
    own = args[: args.index("--")] if "--" in args else args
    found = [
        "--color=always" if each == "--color" and (args[at + 1 : at + 2] or [""])[0] not in WHEN else each
        for at, each in enumerate(own)
    ]
    return [*found, *args[len(own) :]]


class Verbs(click.Group):
    """A command group that imports a command only when it runs, so that `--help` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which people use them."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return traced(command)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of a standard stream ends it, in silence if it only reads."""
        # click itself ends at a broken pipe, without a word.
        try:
            return super().invoke(ctx)
        except OSError as error:
            from mesh.cli.streams import output_error

            found = lost_stream()
            if found and isinstance(error, BrokenPipeError) and ctx.invoked_subcommand not in WRITING:
                raise click.exceptions.Exit(1) from None  # such as `| head`: its reader has what it wants
            if found:
                raise output_error(*found, hint="free space on its disk, or give it another reader") from None
            if isinstance(error, BrokenPipeError):
                raise _fault(error) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without an import."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in VERBS.items()])


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[verbose_option(), untrusted_option(), colour_option()],
)
@click.version_option(__version__, prog_name="mesh")
def cli() -> None:
    """Plan and apply multicluster Istio ambient meshes.

    \b
    exit codes: 0 ok · 1 error · 2 changes pending or not ready (--detailed-exitcode) ·
    3 plan changed since the review · 4 locked · 5 refused · 6 partial · 7 interrupted · 64 usage
    """


def main() -> NoReturn:
    """Run the command line and exit.

    Imports create no garbage and the process ends soon after the work, so garbage is rarely collected:
    with Python's default thresholds a plan takes a sixth longer (docs/explanation/performance.md).
    """
    gc.set_threshold(GC_THRESHOLD)
    open_standard()
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before or after the command itself, which reports it
        code = InterruptedRunError.exit_code
    if lost_stream() and not code:
        code = 1
    gc.freeze()
    sys.exit(code)


def run(args: list[str]) -> int:
    """Run one command line; return its exit code. Errors are printed, never raised."""
    wish = os.environ.get(COLOUR)
    try:
        # The lab is the user's own: `mesh lab kubeconfig` prints the keys that it is asked for.
        with nullcontext() if args[:1] == ["lab"] else filtered():
            return _traced_run(spelled(args))
    finally:
        os.environ.pop(COLOUR, None)
        if wish is not None:
            os.environ[COLOUR] = wish
        if "mesh.world.trace" in sys.modules:
            sys.modules["mesh.world.trace"].stop()


def _traced_run(args: list[str]) -> int:
    try:
        if wish := os.environ.get(LOG):
            _start_trace(wish)
        # click would strip the colour that FORCE_COLOR asks for; `terminal.look` decides about it.
        result: Any = cli.main(args, prog_name="mesh", standalone_mode=False, color=True, obj=_start_trace)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return _report(InterruptedRunError("interrupted, nothing was changed"))
    except click.ClickException as error:
        return _usage(error)
    except MeshError as error:
        return _report(error)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        return _report(_fault(error))
    return result if isinstance(result, int) else 0


def _fault(error: Exception) -> MeshError:
    """Return the error for a bug in mesh; it leaves out all values, which may be secret.

    An error of the system is none: a full disk, a missing permission.
    """
    if isinstance(error, OSError):
        from mesh.world.disk.files import disk_error

        return disk_error(error)
    return MeshError(
        f"internal error (please report): {type(error).__name__}",
        hint=f"run the command again with {TRACEBACK}=1 and report the traceback; the state is intact",
    )


def _usage(error: click.ClickException) -> int:
    from mesh.cli.say import say

    text = io.StringIO()
    error.show(file=text)
    say(text.getvalue().rstrip("\n"), err=True)
    return UsageError.exit_code


def _report(error: MeshError) -> int:
    from mesh.cli.terminal import look, source
    from mesh.cli.views.errors import error_text

    screen = look(os.environ, sys.stdin, sys.stdout, sys.stderr)
    snippets = source if screen.snippets else None
    text = error_text(error, source=snippets, colour=screen.err_colour)
    with suppress(OSError):  # there is no other place to report it
        click.echo(text, err=True, nl=False, color=True)
    return error.exit_code

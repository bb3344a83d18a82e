"""Resolve the root of trust: what signs the intermediates, and how long certificates are valid."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mesh.config.resolve.durations import duration
from mesh.config.schema.istio import CAPart, FilesPart, GeneratePart, IntermediatePart, RootOfTrustPart
from mesh.config.source.document import Trail
from mesh.config.source.problems import Problems, path_type
from mesh.model.spec import CA, CommandCA, ExistingCA, FilesCA, GenerateCA, Intermediate, RootOfTrust

AT: Trail = ("spec", "rootOfTrust")
SHORTEST_INTERMEDIATE = timedelta(days=2)
"""Twice the default lifetime of a workload certificate, so that no workload outlives its intermediate."""
SHORTEST_RENEWAL = timedelta(hours=1)


def root_of_trust(part: RootOfTrustPart, report: Problems) -> RootOfTrust:
    """Return the root of trust; report settings that contradict each other."""
    found = _signing(part, report)
    if part.migrate_backup:
        report.reachable((*AT, "migrateBackup"), part.migrate_backup)
    if part.migrate_backup and not part.migrate:
        hint = "set migrate: restart as well, or remove it"
        report.wrong((*AT, "migrateBackup"), "has no effect without migrate", hint)
    if part.migrate and isinstance(found.ca, ExistingCA):
        hint = "use generate, files or command as the CA, or remove migrate"
        report.wrong(
            (*AT, "migrate"), "cannot be used with ca.existing, where mesh issues no certificates", hint
        )
    return replace(found, migrate=part.migrate or "", backup=part.migrate_backup or "")


def _signing(part: RootOfTrustPart, report: Problems) -> RootOfTrust:
    generate = part.ca.generate if part.ca and part.ca.generate else None
    ca = _ca(part.ca, report)
    if isinstance(ca, ExistingCA) and part.intermediate is not None:
        report.wrong(
            (*AT, "intermediate"),
            "cannot be used with ca.existing, where mesh issues no certificates",
            "remove one of them",
        )
    root_trail = (*AT, "ca", "generate", "validity")
    root_validity = duration(generate.validity if generate else "3650d", root_trail, report)
    root_key = generate.key if generate else "ecdsa-p384"
    intermediate = _intermediate(part.intermediate, report)
    if not isinstance(ca, GenerateCA):
        return RootOfTrust(ca=ca, intermediate=intermediate, origin=report.origin(AT))
    if intermediate.validity > root_validity:
        trail = root_trail if part.intermediate is None else (*AT, "intermediate", "validity")
        report.wrong(
            trail, "is shorter than the validity of the intermediates", "make the root's validity longer"
        )
    return RootOfTrust(ca, root_validity, root_key, intermediate, report.origin(AT))


def _ca(part: CAPart | None, report: Problems) -> CA:
    trail = (*AT, "ca")
    if part is None:
        return GenerateCA()
    given = [name for name in ("generate", "files", "command", "existing") if getattr(part, name)]
    if len(given) != 1:
        what = f"must set exactly one of generate, files, command, existing; sets {len(given)}"
        report.wrong(trail, what, "write ca: {generate: {}}")
    match part:
        case CAPart(files=FilesPart() as files):
            return _files(files, report)
        case CAPart(command=list() as command):
            hint = "the pipeline of the reviewed file runs it: plan without --untrusted after a review"
            report.refused((*trail, "command"), "cannot run a program", hint)
            return CommandCA((_program(command[0], report), *command[1:]))
        case CAPart(existing=True):
            return ExistingCA()
        case CAPart(generate=GeneratePart(key_file=str() as key_file)):
            report.reachable((*trail, "generate", "keyFile"), key_file)
            return GenerateCA(key_file)
    return GenerateCA()


def _files(part: FilesPart, report: Problems) -> FilesCA:
    """Require the certificate; the key may be absent, since only a step that signs reads it.

    Paths stay as written: they are recorded in the state, and other people work in other folders.
    """
    trail = (*AT, "ca", "files")
    key = report.path(part.key)
    if not report.reachable((*trail, "key"), part.key):
        return FilesCA(part.cert, part.key)
    if path_type(key) == "folder":
        report.wrong((*trail, "key"), f"{part.key} is a folder", "name the file in it")
    report.file((*trail, "cert"), part.cert)
    return FilesCA(part.cert, part.key)


def _program(name: str, report: Problems) -> str:
    """Return a program as the system finds it: a name on PATH, a path relative to the mesh file."""
    return str(report.path(name).absolute()) if "/" in name else name


def _intermediate(part: IntermediatePart | None, report: Problems) -> Intermediate:
    if part is None:
        return Intermediate()
    trail = (*AT, "intermediate")
    validity = duration(part.validity, (*trail, "validity"), report)
    if validity < SHORTEST_INTERMEDIATE:
        report.wrong((*trail, "validity"), f"{part.validity} is too short", "make it 2d or longer")
    if part.renew_before is None:
        return Intermediate(validity, min(Intermediate().renew_before, validity / 4), part.key)
    renew_before = duration(part.renew_before, (*trail, "renewBefore"), report)
    if renew_before >= validity:
        what = f"{part.renew_before} is not shorter than the validity {part.validity}"
        report.wrong(
            (*trail, "renewBefore"),
            what,
            "make it shorter, or every run renews the certificate; a quarter of the validity is usual",
        )
    elif renew_before < SHORTEST_RENEWAL:
        report.wrong((*trail, "renewBefore"), f"{part.renew_before} is too short", "make it 1h or longer")
    return Intermediate(validity, renew_before, part.key)

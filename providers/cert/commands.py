"""Root of trust and intermediates as openssl commands, with the certificate profile of `mesh.world.pki`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from mesh.model import Resource
from mesh.model.spec import CommandCA, ExistingCA, FilesCA, GenerateCA, KeyAlgorithm, Mesh
from mesh.providers.cert.document import FILES
from mesh.providers.cert.specs import CACERTS, CertSpec, IntermediateSpec, RootSpec
from mesh.sdk.kubectl import options
from mesh.sdk.script import Commands
from mesh.sdk.shell import Raw, command, comment, heredoc, quoted
from mesh.world.pki import PASSPHRASE
from mesh.world.pki.root_files import files_beside

KEYS: dict[KeyAlgorithm, tuple[str, ...]] = {
    "ecdsa-p256": ("EC", "ec_paramgen_curve:P-256", "ec_param_enc:named_curve"),
    "ecdsa-p384": ("EC", "ec_paramgen_curve:P-384", "ec_param_enc:named_curve"),
    "rsa-4096": ("RSA", "rsa_keygen_bits:4096"),
}
CA_KEY_USAGE = "keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n"
LAST = Raw("""awk '/BEGIN CERTIFICATE/ {text = ""} {text = text $0 "\\n"} END {printf "%s", text}'""")
FIRST = Raw("awk '/BEGIN CERTIFICATE/ {number++} number == 1'")

LOCK = (
    *("openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256"),
    *("-iter", "600000"),
)
"""Puts a key under a passphrase as mesh does: see `mesh.world.pki.sealed_key`."""


def cert_commands(resource: Resource[CertSpec], mesh: Mesh) -> Commands:
    """Return the commands that find or create the root of trust, or a cluster's intermediate under it."""
    spec, folder = resource.spec, str(Path(mesh.file).absolute().parent)
    if isinstance(spec, RootSpec):
        return Commands("".join(_root(spec, folder)))
    run = ("kubectl", *options(mesh.cluster(resource.key.cluster)), f"--namespace={spec.namespace}")
    return Commands("".join(_intermediate(spec, run, folder)))


def _root(spec: RootSpec, folder: str) -> Iterator[str]:
    """Find or create the signing CA: its files are `ca_cert` and `ca_key`, its root is `root-cert.pem`.

    `folder` is the folder that relative paths of the mesh file start from.
    """
    match spec.ca:
        case FilesCA(cert, key):
            yield comment("the CA that signs the intermediates, from the files in the configuration")
            yield f"ca_cert={_path(cert, folder)}\nca_key={_path(key, folder)}\n"
        case GenerateCA():
            yield from _generated(spec, spec.ca, folder)
        case _:
            return
    yield comment("a P-384 key signs with SHA-384: some verifiers accept no other pair")
    yield (
        "digest=-sha256\n"
        'if openssl x509 -in "$ca_cert" -noout -text | grep -q "NIST CURVE: P-384"; then digest=-sha384; fi\n'
    )
    yield f'{LAST} "$ca_cert" >"$work/root-cert.pem"\n'


def _path(text: str, folder: str) -> str:
    """Return a path of the mesh file as a shell word."""
    if text.startswith("~/"):
        return f'"$HOME"/{quoted(text[2:])}'
    return quoted(str(Path(folder) / text))


def _generated(spec: RootSpec, ca: GenerateCA, folder: str) -> Iterator[str]:
    yield comment("the root of trust, one for all clusters, generated on the first run. Back up the key:")
    yield comment("it cannot be recreated. `mesh apply` uses the same files.")
    if ca.key_file:
        certificate = str(files_beside(Path(ca.key_file)).certificate)
        yield f"ca_cert={_path(certificate, folder)}\nca_key={_path(ca.key_file, folder)}\n"
    else:
        folder = f'"${{XDG_CONFIG_HOME:-$HOME/.config}}"/mesh/{quoted(spec.mesh)}'
        yield f"ca_cert={folder}/root.crt\nca_key={folder}/root.key\n"
    yield (
        'if [ -e "$ca_cert" ] && [ ! -e "$ca_key" ]; then\n'
        '  echo "$ca_cert exists but its key $ca_key is missing" >&2\n  exit 1\nfi\n'
    )
    lock = command(*LOCK, "-passout", f"env:{PASSPHRASE}", "-out", Raw('"$ca_key"'))
    yield 'if [ ! -e "$ca_key" ]; then\n  mkdir -p "$(dirname "$ca_key")"\n'
    yield f'  if [ -n "${PASSPHRASE}" ]; then\n    {_new_key(spec.key)} | {lock}\n'
    yield f"  else\n    {_new_key(spec.key, '$ca_key')}\n  fi\nfi\n"
    yield 'if [ ! -e "$ca_cert" ]; then\n'
    yield heredoc('cat >"$work/root.cnf"', _root_request(spec))
    sha = "-sha384" if spec.key == "ecdsa-p384" else "-sha256"
    make = command(
        *("openssl", "req", "-x509", "-new", sha, "-days", str(_days(spec.validity))),
        *("-key", Raw('"$ca_key"'), "-passin", f"env:{PASSPHRASE}"),
        *("-config", Raw('"$work/root.cnf"'), "-out", Raw('"$ca_cert"')),
    )
    yield f"{make}\nfi\n"


def _root_request(spec: RootSpec) -> str:
    return (
        "[req]\ndistinguished_name = name\nx509_extensions = ca\nprompt = no\n"
        f"[name]\nO = mesh\nCN = {_common_name(spec.mesh)} Root G1\n"
        f"[ca]\nbasicConstraints = critical, CA:true, pathlen:1\n{CA_KEY_USAGE}"
    )


def _intermediate(spec: IntermediateSpec, kubectl: tuple[str, ...], folder: str) -> Iterator[str]:
    """Create a cluster's intermediate and its Secret `cacerts`, with a `kubectl` for its namespace.

    `folder` is the working folder of a signing program.
    """
    if isinstance(spec.ca, CommandCA):
        yield comment("the signing program runs in the folder of the mesh file")
    if isinstance(spec.ca, ExistingCA):
        yield comment("the configuration uses an existing intermediate")
        yield command(*kubectl, "get", "secret", CACERTS) + "\n"
        return
    yield comment(
        "this cluster's intermediate certificate; create it before istiod, which reads it when it starts"
    )
    yield f"if ! {command(*kubectl, 'get', 'secret', CACERTS)} >/dev/null 2>&1; then\n"
    yield f'dir="$work"/{quoted(spec.cluster)}\nmkdir -p "$dir"\n'
    yield _new_key(spec.profile.key, "$dir/ca-key.pem") + "\n"
    yield heredoc('cat >"$dir/ca.cnf"', _request(spec))
    yield 'openssl req -new -key "$dir/ca-key.pem" -config "$dir/ca.cnf" -out "$dir/ca.csr"\n'
    yield from _by_program(spec.ca, folder) if isinstance(spec.ca, CommandCA) else _by_key(spec)
    given = [Raw(f'--from-file={name}="$dir/{name}"') for name in FILES]
    yield command(*kubectl, "create", "secret", "generic", CACERTS, *given) + "\n"
    yield 'rm -r "$dir"\nfi\n'


def _request(spec: IntermediateSpec) -> str:
    constraints = f"basicConstraints = critical, CA:true, pathlen:0\n{CA_KEY_USAGE}"
    return (
        "[req]\ndistinguished_name = name\nreq_extensions = request\nprompt = no\n"
        f"[name]\nO = mesh\nCN = {_common_name(f'{spec.mesh}/{spec.cluster}')} CA\n"
        f"[request]\n{constraints}[ca]\n{constraints}authorityKeyIdentifier = keyid\n"
    )


def _by_key(spec: IntermediateSpec) -> Iterator[str]:
    yield (
        command(
            *("openssl", "x509", "-req", Raw('"$digest"'), "-days", str(_days(spec.profile.validity))),
            *("-in", Raw('"$dir/ca.csr"'), "-CA", Raw('"$ca_cert"'), "-CAkey", Raw('"$ca_key"')),
            *("-passin", f"env:{PASSPHRASE}", "-set_serial", Raw('"0x$(openssl rand -hex 16)"')),
            *("-extfile", Raw('"$dir/ca.cnf"'), "-extensions", "ca", "-out", Raw('"$dir/ca-cert.pem"')),
        )
        + "\n"
    )
    yield 'cat "$dir/ca-cert.pem" "$ca_cert" >"$dir/cert-chain.pem"\n'
    yield 'cp "$work/root-cert.pem" "$dir/root-cert.pem"\n'


def _by_program(ca: CommandCA, folder: str) -> Iterator[str]:
    yield f'(cd {command(folder)} && {command(*ca.argv)}) <"$dir/ca.csr" >"$dir/cert-chain.pem"\n'
    yield f'{FIRST} "$dir/cert-chain.pem" >"$dir/ca-cert.pem"\n'
    yield f'{LAST} "$dir/cert-chain.pem" >"$dir/root-cert.pem"\n'


def _new_key(algorithm: KeyAlgorithm, where: str = "") -> str:
    name, *options = KEYS[algorithm]
    flags = [word for option in options for word in ("-pkeyopt", option)]
    out = ("-out", Raw(f'"{where}"')) if where else ()
    return command("openssl", "genpkey", "-algorithm", name, *flags, *out)


def _days(span: timedelta) -> int:
    """Return whole days for openssl, at least one."""
    return max(span // timedelta(days=1), 1)


def _common_name(text: str) -> str:
    """Return a name without openssl configuration syntax, within the X.509 length limit."""
    return re.sub(r"[^A-Za-z0-9./-]", "-", text)[:44]

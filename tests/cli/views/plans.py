"""Plans to render: a few that are told in full, and any that Hypothesis can think of."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mesh.model import (
    ABSENT,
    SENSITIVE,
    Action,
    Deferral,
    Field,
    Key,
    Left,
    ManifestChange,
    Plan,
    Reason,
    Step,
    Touch,
    Unknown,
)

EASTWEST = Key("gateway", "cluster2", "istio-eastwest")
NOON = "2026-01-02T12:00:00Z"
CONFIG = "accessLogFile: /dev/stdout\ndefaultConfig:\n  a: 1\n  b: 2\n  c: 3\n  d: 4\n  e: 5\n"

CREATE_LINK = Step(
    Action.CREATE,
    Key("link", "cluster1", "cluster2"),
    Reason.NEW,
    (
        Field(("address",), ABSENT, Unknown(EASTWEST)),
        Field(("labels",), ABSENT, {"topology.istio.io/network": "cluster2"}),
        Field(
            ("listeners",), ABSENT, [{"name": "cross-network", "port": 15008}, {"name": "xds", "port": 15012}]
        ),
    ),
    needs=frozenset({EASTWEST}),
)
UPDATE_CHART = Step(
    Action.UPDATE,
    Key("chart", "cluster1", "istiod"),
    Reason.CONFIG,
    (
        Field(("version",), "1.30.1-solo", "1.30.2-solo"),
        Field(("values", "pilot", "autoscaleMin"), ABSENT, 2),
        Field(("values", "pilot", "env", "PILOT_DEBUG"), "true", ABSENT),
        Field(("values", "license", "value"), SENSITIVE, SENSITIVE),
    ),
    notes=("takes spec.replicas from kubectl-scale",),
    manifests=(
        ManifestChange(
            "Deployment istio-system/istiod",
            Action.UPDATE,
            (Field(("spec", "replicas"), 1, 2, Touch(("spec", "replicas"), "kubectl-scale", NOON)),),
        ),
        ManifestChange(
            "ConfigMap istio-system/istio",
            Action.UPDATE,
            (Field(("data", "mesh"), CONFIG, CONFIG.replace("d: 4", "d: 5")),),
        ),
        ManifestChange("Secret istio-system/s", Action.UPDATE, (Field(("data", "k"), "aGVs", "d29y"),)),
        ManifestChange("PodDisruptionBudget istio-system/istiod", Action.CREATE),
        ManifestChange("Role istio-system/istiod", Action.DELETE),
    ),
)
DRIFT_LABEL = Step(
    Action.UPDATE,
    Key("label", "cluster2", "istio-system"),
    Reason.DRIFT,
    (
        Field(
            ("labels", "topology.istio.io/network"),
            "net9",
            "cluster2",
            Touch(("labels",), "kubectl-edit", NOON),
        ),
    ),
)
REPLACE_CERT = Step(
    Action.REPLACE, Key("cert", "cluster1", "cacerts"), Reason.EXPIRING, why="expires in 20 days"
)
DELETE_LINK = Step(Action.DELETE, Key("link", "cluster2", "cluster3"), Reason.REMOVED)
FORGET_CRDS = Step(Action.FORGET, Key("crds", "cluster2", "gateway-api"), Reason.REMOVED)
ADOPT_CHART = Step(Action.NOOP, Key("chart", "cluster2", "ztunnel"), Reason.ADOPT)
READ_GATEWAY = Step(Action.READ, EASTWEST, Reason.UNHEALTHY, why="wait for an address")
CREATE_CHART = Step(
    Action.CREATE,
    Key("chart", "cluster2", "istiod"),
    Reason.NEW,
    (Field(("version",), ABSENT, "1.30.2-solo"), Field(("values",), ABSENT, {"note": CONFIG})),
    manifests=tuple(
        ManifestChange(f"{kind} istio-system/istiod-{number}", Action.CREATE)
        for kind in ("ConfigMap", "Role")
        for number in range(8)
    ),
)

FULL = Plan(
    "prod",
    (
        CREATE_LINK,
        UPDATE_CHART,
        DRIFT_LABEL,
        REPLACE_CERT,
        DELETE_LINK,
        FORGET_CRDS,
        ADOPT_CHART,
        READ_GATEWAY,
        CREATE_CHART,
    ),
    serial=7,
    lineage="0191d2f0",
    clusters={"cluster1": "uid-1", "cluster2": "uid-2"},
    deferred=(
        Deferral(Key("cert", "cluster3", "cacerts"), "cluster3 could not be read: timed out after 10 s"),
        Deferral(Key("chart", "cluster3", "base"), "cluster3 could not be read: timed out after 10 s"),
        Deferral(Key("link", "cluster1", "cluster3"), "needs gateway/cluster3/istio-eastwest, not read"),
    ),
    unchanged=12,
    warnings=("cluster2 runs Kubernetes 1.27, which Istio 1.30 was not tested with; nothing else is known",),
    digest="sha256:" + "ab" * 32,
    left=(Left(Key("link", "cluster2", "cluster1"), "field manager istioctl", "peers/theirs"),),
)
NOTHING = Plan("prod", (), 7, "0191d2f0", {"cluster1": "uid-1"}, unchanged=12, digest="sha256:00")
ONLY_READ = Plan("prod", (READ_GATEWAY,), 7, "0191d2f0", {"cluster2": "uid-2"}, digest="sha256:01")
EVIL = (
    "a\x1b[31m\r\n```\n|@admin #1 <img src=x onerror=y> ![i](http://e.x) \u202e\u200b\x9b$x$ --> </details>"
)
HOSTILE = Plan(
    EVIL,
    (
        Step(
            Action.UPDATE,
            Key("link", EVIL, EVIL),
            Reason.DRIFT,
            (Field((EVIL, "x"), EVIL, EVIL + "\n" + EVIL, Touch((EVIL,), EVIL, EVIL)),),
            notes=(EVIL,),
            why=EVIL,
            manifests=(ManifestChange(EVIL, Action.UPDATE, (Field((EVIL,), ABSENT, {EVIL: [EVIL]}),)),),
        ),
        Step(Action.DELETE, Key("link", EVIL, "b"), Reason.REMOVED, why=EVIL),
        Step(Action.READ, Key("gateway", EVIL, EVIL), Reason.UNHEALTHY, why=EVIL),
    ),
    1,
    EVIL,
    {EVIL: EVIL},
    (Deferral(Key("cert", EVIL, "c"), EVIL),),
    warnings=(EVIL,),
    digest="sha256:02",
    left=(Left(Key("link", EVIL, "d"), EVIL, EVIL),),
)

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Laws are about values; a slow machine breaks none."""

NASTY = st.sampled_from(
    [
        "\x1b[31m",
        "\r",
        "\n",
        "```",
        "~~~",
        "`" * 30,
        "|",
        "@a",
        "#1",
        "<b>",
        "-->",
        "\u202e",
        "\u200b",
        "\ud800",
        "\x9b",
        "é",
        "🦀",
    ]
)
TEXT = st.lists(st.one_of(NASTY, st.text(max_size=8)), max_size=6).map("".join)
NAMES = st.one_of(st.sampled_from(["cluster1", "cluster2", "a"]), TEXT.filter(bool))
KEYS = st.builds(Key, NAMES, NAMES, NAMES)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), TEXT, st.builds(Unknown, KEYS), st.just(SENSITIVE)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
SIDES = st.one_of(st.just(ABSENT), VALUES)
PATHS = st.lists(TEXT, min_size=1, max_size=3).map(tuple)
TOUCHES = st.one_of(st.none(), st.builds(Touch, PATHS, TEXT, TEXT))
FIELDS = st.lists(st.builds(Field, PATHS, SIDES, SIDES, TOUCHES), max_size=4).map(tuple)
MANIFESTS = st.lists(st.builds(ManifestChange, TEXT, st.sampled_from(Action), FIELDS), max_size=3).map(tuple)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
STEPS = st.builds(
    Step,
    st.sampled_from(Action),
    KEYS,
    st.sampled_from(Reason),
    FIELDS,
    notes=TEXTS,
    manifests=MANIFESTS,
    why=TEXT,
)
PLANS = st.builds(
    Plan,
    TEXT,
    st.lists(STEPS, max_size=5).map(tuple),
    st.integers(0, 9),
    TEXT,
    st.dictionaries(NAMES, TEXT, max_size=3),
    st.lists(st.builds(Deferral, KEYS, TEXT), max_size=3).map(tuple),
    st.integers(0, 99),
    TEXTS,
    st.just("sha256:" + "cd" * 32),
)

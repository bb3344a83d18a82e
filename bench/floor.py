"""The lower bound for any program that reads the clusters: parallel LISTs, and decoded releases."""

import base64
import json
import os
import ssl
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import urllib3
import yaml

from bench.lists import LISTS


def pool(cluster: dict[str, str], user: dict[str, str]) -> urllib3.HTTPSConnectionPool:
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pair:
        pair.writelines(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key"))
        pair.flush()
        tls.load_cert_chain(pair.name)
    host, port = cluster["server"].removeprefix("https://").split(":")
    return urllib3.HTTPSConnectionPool(host, int(port), maxsize=len(LISTS), ssl_context=tls)


def read(job: tuple[urllib3.HTTPSConnectionPool, str]) -> int:
    server, path = job
    items = json.loads(server.request("GET", path, headers={"accept": LISTS[path]}).data)["items"]
    packed = [item["data"]["release"] for item in items if item.get("type") == "helm.sh/release.v1"]
    return len([json.loads(zlib.decompress(base64.b64decode(base64.b64decode(each)), 47)) for each in packed])


config = yaml.load(Path(os.environ["KUBECONFIG"]).read_bytes(), Loader=yaml.CSafeLoader)
clusters = {each["name"]: each["cluster"] for each in config["clusters"]}
users = {each["name"]: each["user"] for each in config["users"]}
chosen = [each["context"] for each in config["contexts"]]
pools = [pool(clusters[each["cluster"]], users[each["user"]]) for each in chosen]
jobs = [(each, path) for path in LISTS for each in pools]
with ThreadPoolExecutor(len(jobs)) as threads:
    print(sum(threads.map(read, jobs)))

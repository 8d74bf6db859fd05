"""A Hub on this machine: the part of the API that huggingface_hub and datasets use, over real HTTP, with faults."""

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml

TOKEN, READ_TOKEN = "hf_write", "hf_read"
KINDS = {"datasets": "dataset", "models": "model"}
REGULAR = (".md", ".json", ".jsonl", ".txt", ".py", "control", ".gitattributes")


@dataclass
class Repo:
    """Every commit's files stay to be had by the commit's name, while others are being made."""

    private: bool
    commits: list[str] = field(default_factory=list)
    versions: list[tuple[str, dict[str, bytes]]] = field(default_factory=lambda: [("0" * 40, {})])

    @property
    def sha(self):
        return self.versions[-1][0]

    @property
    def files(self):
        return self.versions[-1][1]

    def at(self, revision):
        """The files of a commit, or the newest."""
        return dict(self.versions).get(revision, self.files)

    def commit(self, files, summary):
        self.commits.append(summary)
        digests = [(path, hashlib.sha1(data).hexdigest()) for path, data in sorted(files.items())]
        self.versions.append((hashlib.sha1(repr((self.commits, digests)).encode()).hexdigest(), files))


@dataclass
class Fault:
    """Answer requests whose line holds `where` with `status`, or drop the connection (status 0), `times` times."""

    where: str
    status: int
    times: int = 10**6


@dataclass
class Hub:
    url: str = ""
    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)  # request lines that hold a token
    published: list[str] = field(default_factory=list)  # what happened to repositories, in order
    committing: threading.Lock = field(default_factory=threading.Lock)


def serve(hub=None, handler=None):
    """A running Hub and its server (shut it down)."""
    hub = hub or Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (handler or HubHandler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return hub, server


class HubHandler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status=200, body=b"", **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        line = f"{self.command} {self.path}"
        self.hub.requests.append(line)
        if TOKEN in self.path:
            self.hub.leaks.append(line)
        for fault in self.hub.faults:
            if fault.where in line and fault.times > 0:
                fault.times -= 1
                if fault.status == 0:
                    self.rfile.read(min(64, int(self.headers.get("Content-Length") or 0)))
                    self.close_connection = True
                    self.connection.close()
                else:
                    self.rfile.read(int(self.headers.get("Content-Length") or 0))
                    self.answer(fault.status, {"error": f"fault {fault.status}"})
                return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        for command, pattern, method in self.routes:
            match = re.fullmatch(pattern, path)
            if match and self.command in command.split("|"):
                method(self, body, *match.groups())
                return
        self.answer(404, {"error": f"no route for {line}"})

    @property
    def routes(self):
        return ROUTES

    @property
    def token(self):
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def whoami(self, _):
        if self.token not in (TOKEN, READ_TOKEN):
            self.answer(401, {"error": "Invalid credentials"})
            return
        role = "write" if self.token == TOKEN else "read"
        self.answer(body={"name": "ann", "type": "user", "orgs": [], "auth": {"accessToken": {"role": role}}})

    def create(self, body):
        asked = json.loads(body)
        owner = asked.get("organization") or "ann"
        if owner != "ann":
            self.answer(403, {"error": "You don't have the rights to create a repo under this namespace"})
            return
        key = (asked.get("type", "model"), f"{owner}/{asked['name']}")
        if key in self.hub.repos:
            self.answer(409, {"error": "You already created this repo", "url": f"{self.hub.url}/{key[1]}"})
            return
        private = asked.get("private", asked.get("visibility") == "private")
        self.hub.repos[key] = Repo(bool(private))
        self.hub.published.append(f"create private={bool(private)}")
        prefix = "" if key[0] == "model" else f"{key[0]}s/"
        self.answer(body={"url": f"{self.hub.url}/{prefix}{key[1]}", "id": key[1]})

    def repo(self, kind, name):
        repo = self.hub.repos.get((KINDS.get(kind, kind), name))
        if repo is None or (repo.private and self.token not in (TOKEN, READ_TOKEN)):
            self.answer(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
            return None
        return repo

    def info(self, _, kind, name, revision=None):
        if repo := self.repo(kind, name):
            sha, files = repo.versions[-1] if revision in (None, "main") else (revision, repo.at(revision))
            siblings = [{"rfilename": path} for path in files]
            self.answer(body={"id": name, "_id": "1", "sha": sha, "private": repo.private, "siblings": siblings,
                              "tags": [], "downloads": 0, "likes": 0, "disabled": False, "gated": False})  # fmt: skip

    def entry(self, path, data):
        made = {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
        if not path.endswith(REGULAR):
            oid = hashlib.sha256(data).hexdigest()
            made["lfs"] = {"oid": oid, "size": len(data), "pointerSize": 130}
        return made

    def tree(self, _, kind, name, revision, folder):
        if repo := self.repo(kind, name):
            folder = (folder or "").strip("/")
            files = repo.at(revision)
            inside = [path for path in files if not folder or path.startswith(f"{folder}/")]
            if "recursive=true" in self.path.lower():
                made = [self.entry(path, files[path]) for path in inside]
            else:
                cut = len(folder) + 1 if folder else 0
                heads = {path[cut:].split("/")[0]: "/" in path[cut:] for path in inside}
                made = [
                    {"type": "directory", "path": f"{folder}/{head}".strip("/"), "oid": "0" * 40, "size": 0}
                    if deep
                    else self.entry(path := f"{folder}/{head}".strip("/"), files[path])
                    for head, deep in heads.items()
                ]
            self.answer(body=made)

    def paths_info(self, body, kind, name, revision):
        if repo := self.repo(kind, name):
            try:
                asked = json.loads(body)["paths"]
            except ValueError:
                from urllib.parse import parse_qs

                asked = parse_qs(body.decode())["paths"]
            asked = [asked] if isinstance(asked, str) else asked
            files = repo.at(revision)
            made = [self.entry(path, files[path]) for path in asked if path in files]
            made += [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in asked
                     if any(held.startswith(f"{path}/") for held in files)]  # fmt: skip
            self.answer(body=made)

    def validate_yaml(self, body):
        content = json.loads(body)["content"]
        match = re.match(r"---\n(.*?)\n---\n", content, re.S)
        errors = []
        try:
            data = yaml.safe_load(match[1]) if match else {}
            for name in ("license", "language"):
                if not data.get(name):
                    errors.append({"message": f'"{name}" is required'})
        except yaml.YAMLError as error:
            errors.append({"message": str(error)})
        self.answer(400 if errors else 200, {"errors": errors, "warnings": []})

    def preupload(self, body, kind, name, revision):
        if repo := self.repo(kind, name):
            asked, files = json.loads(body)["files"], repo.files
            self.answer(body={"files": [
                {"path": file["path"], "shouldIgnore": False,
                 "uploadMode": "regular" if file["path"].endswith(REGULAR) else "lfs",
                 **({"oid": hashlib.sha1(files[file["path"]]).hexdigest()} if file["path"] in files else {})}
                for file in asked]})  # fmt: skip

    def lfs_batch(self, body, kind, name):
        objects = []
        for asked in json.loads(body)["objects"]:
            made = {"oid": asked["oid"], "size": asked["size"]}
            if asked["oid"] not in self.hub.blobs:
                made["actions"] = {"upload": {"href": f"{self.hub.url}/lfs/{asked['oid']}", "header": {}}}
            objects.append(made)
        self.answer(body={"transfer": "basic", "objects": objects})

    def lfs_put(self, body, oid):
        good = hashlib.sha256(body).hexdigest() == oid
        if good:
            self.hub.blobs[oid] = body
        self.answer(200 if good else 400)

    def commit(self, body, kind, name, revision):
        if self.token != TOKEN:
            self.answer(403, {"error": "read only"})
            return
        if repo := self.repo(kind, name):
            with self.hub.committing:
                sha = self.add_commit(repo, [json.loads(line) for line in body.decode().splitlines()])
            self.hub.published.append("commit")
            url = f"{self.hub.url}/{kind}/{name}/commit/{sha}"
            self.answer(body={"success": True, "commitOid": sha, "commitUrl": url})

    def add_commit(self, repo, entries):
        files, summary = dict(repo.files), ""
        for entry in entries:
            value = entry["value"]
            if entry["key"] == "header":
                summary = value["summary"]
            elif entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.blobs[value["oid"]]
            elif entry["key"] == "deletedFile":
                del files[value["path"]]
        repo.commit(files, summary)
        return repo.sha

    def settings(self, body, kind, name):
        if repo := self.repo(kind, name):
            asked = json.loads(body)
            repo.private = asked.get("private", asked.get("visibility") != "public")
            self.hub.published.append(f"settings private={repo.private}")
            self.answer(body={"private": repo.private})

    def resolve(self, _, kind, name, revision, path):
        if repo := self.repo((kind or "models/").strip("/"), name):
            files = repo.at(revision)
            if path not in files:
                self.answer(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound")
                return
            data = files[path]
            etag = hashlib.sha256(data).hexdigest()
            commit = revision if revision in dict(repo.versions) else repo.sha
            headers = {"ETag": f'"{etag}"', "X_Repo_Commit": commit, "Accept_Ranges": "bytes"}
            ranged = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            if ranged:
                start, end = int(ranged[1]), int(ranged[2] or len(data) - 1)
                piece = data[start : end + 1]
                content_range = f"bytes {start}-{start + len(piece) - 1}/{len(data)}"
                self.answer(206, piece, Content_Range=content_range, **headers)
            else:
                self.answer(200, data, **headers)


for command in ("GET", "POST", "PUT", "HEAD"):
    setattr(HubHandler, f"do_{command}", HubHandler.handle_any)

REPO = r"/api/(datasets|models)/([^/]+/[^/]+)"
ROUTES = [
    ("GET", r"/api/whoami-v2", HubHandler.whoami),
    ("POST", r"/api/repos/create", HubHandler.create),
    ("POST", r"/api/validate-yaml", HubHandler.validate_yaml),
    ("POST", REPO + r"/preupload/([^/]+)", HubHandler.preupload),
    ("POST", REPO + r"/commit/([^/]+)", HubHandler.commit),
    ("PUT", REPO + r"/settings", HubHandler.settings),
    ("GET", REPO + r"/tree/([^/]+)(/.*)?", HubHandler.tree),
    ("POST", REPO + r"/paths-info/([^/]+)", HubHandler.paths_info),
    ("GET", REPO + r"(?:/revision/([^/]+))?", HubHandler.info),
    ("POST", r"/(datasets/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch", HubHandler.lfs_batch),
    ("PUT", r"/lfs/([0-9a-f]+)", HubHandler.lfs_put),
    ("GET|HEAD", r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", HubHandler.resolve),
]

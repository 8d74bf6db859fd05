"""Jobs on this machine: the Hub of tests/hub over real HTTP, and machines that run what they get, or only wait."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.hub.server import ROUTES, TOKEN, Hub, HubHandler
from tests.hub.server import serve as serve_hub

HARDWARE = [
    {"name": "t4-small", "prettyName": "Nvidia T4 - small", "cpu": "4 vCPU", "ram": "15 GB",
     "accelerator": {"type": "gpu", "model": "T4", "quantity": "1", "vram": "16 GB", "manufacturer": "Nvidia"},
     "unitCostMicroUSD": 6667, "unitCostUSD": 0.4 / 60, "unitLabel": "minute"},
    {"name": "cpu-upgrade", "prettyName": "CPU Upgrade", "cpu": "8 vCPU", "ram": "32 GB", "accelerator": None,
     "unitCostMicroUSD": 500, "unitCostUSD": 0.03 / 60, "unitLabel": "minute"},
]  # fmt: skip


@dataclass
class Job:
    """A job as it was asked for, and how it stands."""

    id: str
    asked: dict
    stage: str = "SCHEDULING"
    message: str | None = None
    seconds: float = 0.0
    process: subprocess.Popen | None = None
    printed: Path | None = None


@dataclass
class JobsHub(Hub):
    jobs: dict[str, Job] = field(default_factory=dict)
    machine: Path | None = None  # where jobs run; without one they only wait
    environment: dict[str, str] = field(default_factory=dict)

    def begin(self, job: Job) -> None:
        """Mount the repository, and run the command that uv would."""
        (volume,) = job.asked["volumes"]
        mount = self.machine / job.id
        for path, data in self.repos[volume["type"], volume["source"]].files.items():
            (mount / path).parent.mkdir(parents=True, exist_ok=True)
            (mount / path).write_bytes(data)
        given = {**job.asked["environment"], **job.asked["secrets"]}
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            **{name: value.replace(volume["mountPath"], str(mount)) for name, value in given.items()},
            "HF_ENDPOINT": self.url, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(mount / ".hf"),
            "TMPDIR": str(mount), **self.environment,
        }  # fmt: skip
        command = job.asked["command"]
        inside = [part.replace(volume["mountPath"], str(mount)) for part in command[command.index("python") + 1 :]]
        job.printed = mount / "printed.txt"
        with job.printed.open("wb") as output:
            job.process = subprocess.Popen(
                [sys.executable, *inside], env=environment, cwd=mount, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        job.stage = "RUNNING"
        threading.Thread(target=self.attend, args=(job, time.monotonic()), daemon=True).start()

    def attend(self, job: Job, began: float) -> None:
        code = job.process.wait()
        job.seconds = time.monotonic() - began
        if job.stage == "RUNNING":
            job.stage = "ERROR" if code else "COMPLETED"


def serve():
    return serve_hub(JobsHub(), JobsHandler)


class JobsHandler(HubHandler):
    hub: JobsHub

    @property
    def routes(self):
        return [*JOB_ROUTES, *ROUTES]

    def hardware(self, _):
        self.answer(body=HARDWARE)

    def described(self, job):
        return {
            "id": job.id, "createdAt": "2026-01-01T00:00:00.000Z", "owner": {"id": "1", "name": "ann", "type": "user"},
            "status": {"stage": job.stage, "message": job.message}, "flavor": job.asked["flavor"],
            "durations": {"schedulingSecs": 1, "runningSecs": job.seconds, "totalSecs": job.seconds + 1},
        }  # fmt: skip

    def start(self, body, owner):
        if self.token != TOKEN or owner != "ann":
            self.answer(403, {"error": "not yours"})
            return
        job = Job(f"job{len(self.hub.jobs)}", json.loads(body))
        self.hub.jobs[job.id] = job
        if self.hub.machine is not None:
            self.hub.begin(job)
        self.answer(body=self.described(job))

    def inspect(self, _, owner, name):
        if name in self.hub.jobs:
            self.answer(body=self.described(self.hub.jobs[name]))
        else:
            self.answer(404, {"error": "no such job"})

    def cancel(self, _, owner, name):
        job = self.hub.jobs[name]
        job.stage = "CANCELED"
        if job.process is not None:
            job.process.terminate()
        self.answer(body={})

    def delete_repo(self, body):
        asked = json.loads(body)
        name = f"{asked.get('organization') or 'ann'}/{asked['name']}"
        self.hub.repos.pop((asked.get("type", "model"), name), None)
        self.answer(body={})


JobsHandler.do_DELETE = JobsHandler.handle_any
JOB_ROUTES = [
    ("GET", r"/api/jobs/hardware", JobsHandler.hardware),
    ("POST", r"/api/jobs/([^/]+)", JobsHandler.start),
    ("GET", r"/api/jobs/([^/]+)/([^/]+)", JobsHandler.inspect),
    ("POST", r"/api/jobs/([^/]+)/([^/]+)/cancel", JobsHandler.cancel),
    ("DELETE", r"/api/repos/delete", JobsHandler.delete_repo),
]

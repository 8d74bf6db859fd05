"""A page of another Space, framed beside ours by huggingface.co: it sends our cookie along and gets nothing by it.

Real names and TLS, all on this machine: Chromium takes the hosts from a rule, the certificate is made here.
"""

import datetime
import http.client
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from asking import ask
from chats import two_people
from playwright.sync_api import expect

pytestmark = [pytest.mark.slow, pytest.mark.browser]

OURS, OTHERS, HUB = "ann-chat-twin.hf.space", "eve-harmless.hf.space", "huggingface.co"
FRAMES = f"""<!doctype html><title>Spaces</title>
<iframe name="ours" src="https://{OURS}/" width="1200" height="900"></iframe>
<iframe name="others" src="https://{OTHERS}/" width="600" height="200"></iframe>"""
ATTACK = """
async ([host, call]) => {
  const got = {};
  const attempt = async (name, path, more = {}) => {
    try {
      const answer = await fetch(`https://${host}${path}`, {credentials: 'include', ...more});
      got[name] = answer.type === 'opaque' ? 'opaque' : `${answer.status} ${await answer.text()}`;
    } catch (error) {
      got[name] = 'blocked';
    }
  };
  const body = JSON.stringify(call);
  const json = {'Content-Type': 'application/json'};
  await attempt('file', '/mine/chat/chat.json');
  await attempt('page', '/');
  await attempt('config', '/config');
  await attempt('delete', '/gradio_api/queue/join', {method: 'POST', headers: json, body});
  const plain = {'Content-Type': 'text/plain'};
  await attempt('simple delete', '/gradio_api/queue/join', {method: 'POST', headers: plain, body});
  await attempt('blind delete', '/gradio_api/queue/join', {method: 'POST', mode: 'no-cors', body});
  await attempt('run', '/gradio_api/run/predict', {method: 'POST', mode: 'no-cors', body});
  await attempt('data', `/gradio_api/queue/data?session_hash=${call.session_hash}`);
  const form = document.createElement('form');
  form.method = 'POST'; form.enctype = 'text/plain'; form.target = 'sink';
  form.action = `https://${host}/gradio_api/queue/join`;
  const field = document.createElement('input');
  field.name = body.slice(0, -1) + ', "x": "'; field.value = '"}';
  form.append(field);
  const sink = document.createElement('iframe');
  sink.name = 'sink';
  document.body.append(sink, form);
  form.submit();
  await new Promise(done => setTimeout(done, 1500));
  return got;
}
"""  # fmt: skip


def certificate(folder: Path) -> Path:
    """A certificate of our own with its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, OURS)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in (OURS, OTHERS, HUB)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    written = folder / "site.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    written.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return written


class Site(BaseHTTPRequestHandler):
    """All three hosts: the frame, the other Space, and a proxy before the app, which notes what it is asked."""

    protocol_version = "HTTP/1.1"
    app = ""
    seen: list[dict[str, object]] = []  # noqa: RUF012 one list for the one test

    def do_GET(self) -> None:
        host = self.headers["Host"]
        if host == OURS:
            self.pass_on()
            return
        body = (FRAMES if host == HUB else "<!doctype html><p>harmless").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_OPTIONS = do_GET  # noqa: N815

    def pass_on(self) -> None:
        target = http.client.HTTPConnection(urlsplit(self.app).netloc, timeout=120)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {**self.headers, "X-Forwarded-Proto": "https", "Connection": "close"}
        target.request(self.command, self.path, body=body or None, headers=headers)
        answer = target.getresponse()
        self.seen.append(
            {"origin": self.headers.get("Origin"), "path": self.path, "method": self.command, "status": answer.status,
             "cookie": "chat_twin=" in self.headers.get("Cookie", ""), "site": self.headers.get("Sec-Fetch-Site"),
             "cors": answer.headers.get("Access-Control-Allow-Origin"), "dest": self.headers.get("Sec-Fetch-Dest")}
        )  # fmt: skip
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while block := answer.read1(65536):
            self.wfile.write(block)
        self.close_connection = True
        target.close()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the page has gone
            return


@pytest.fixture
def site(serve, tmp_path_factory, tmp_path):
    """The app behind TLS as a Space is; its server, and the port of all three hosts."""
    app = serve(tmp_path_factory.mktemp("space") / "home", CHAT_TWIN_HOSTS=OURS)
    handler = type("Here", (Site,), {"app": app.url, "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield app, server.server_address[1], handler.seen
    server.shutdown()
    server.server_close()


@pytest.fixture
def framed(site, browser_type, browser_type_launch_args):
    """A page of huggingface.co with our Space and another's in it."""
    port = site[1]
    rules = f"--host-resolver-rules=MAP *.hf.space:443 127.0.0.1:{port}, MAP {HUB}:443 127.0.0.1:{port}"
    settings = {**browser_type_launch_args}
    settings["args"] = [*settings["args"], rules, "--ignore-certificate-errors"]
    browser = browser_type.launch(**settings)
    page = browser.new_context(ignore_https_errors=True, viewport={"width": 1300, "height": 1200}).new_page()
    page.set_default_timeout(90_000)
    page.goto(f"https://{HUB}/")
    yield page
    browser.close()


def test_another_space_in_the_same_frame_reads_and_deletes_nothing(site, framed, tmp_path):
    app, _, seen = site
    chat = tmp_path / "chat.txt"
    chat.write_text(two_people(canary="canaryfrigate"), encoding="utf-8")
    ours = framed.frame_locator('iframe[name="ours"]')
    expect(ours.get_by_role("tab").first).to_be_visible(timeout=90_000)
    ours.locator("#upload input[type=file]").set_input_files(chat)
    expect(ours.locator("#header")).to_contain_text("Ada", timeout=90_000)
    config = json.load(ask(f"{app.url}config"))
    button = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == "forget-yes")
    wanted = next(one["id"] for one in config["dependencies"] if [button, "click"] in one["targets"])
    call = {"data": [], "fn_index": wanted, "session_hash": "evehash"}
    others = framed.frame(name="others")
    got = others.evaluate(ATTACK, [OURS, call])
    time.sleep(2)  # what was set off would have been done by now
    asked = [one for one in seen if one["origin"] == f"https://{OTHERS}" or one["site"] == "cross-site"]
    tried = [one for one in asked if one["dest"] not in ("iframe", "document")]
    assert any(one["cookie"] for one in tried), "the other page's requests carry no cookie, so this shows nothing"
    assert {one["status"] for one in tried} == {403}
    assert all(one["cors"] is None for one in seen)
    assert set(got.values()) <= {"blocked", "opaque"}
    assert all(one["status"] == 403 for one in asked if one["method"] == "POST")
    assert list(app.home.glob("visitors/*/chat/chat.json"))
    framed.reload()
    expect(framed.frame_locator('iframe[name="ours"]').locator("#header")).to_contain_text("Ada", timeout=90_000)


def test_nobody_else_may_show_the_app_in_a_frame(site, framed):
    inside = framed.frame(name="others")
    inside.evaluate(
        "host => new Promise(done => { const frame = document.createElement('iframe'); frame.onload = done; "
        "frame.src = `https://${host}/`; frame.name = 'stolen'; document.body.append(frame); })",
        OURS,
    )
    framed.wait_for_timeout(2000)
    within = [frame for frame in framed.frames if frame.parent_frame == inside]
    assert len(within) == 1
    assert within[0].url.startswith("chrome-error:")

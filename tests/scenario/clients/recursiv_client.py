"""A client of the Recursiv API in another language: Python's standard library, as a customer's script might use it.

Asks RECURSIV_BASE_URL with RECURSIV_API_KEY (of org_python, projects:read and projects:write) and expects the service behind
it to answer with what it was sent: {"data": {"method", "target", "organization_id", "content_type", "body"}}. Ends with
status 1 and the reason where anything is not as it should be.
"""
import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request

BASE = os.environ["RECURSIV_BASE_URL"]
BEARER = {"Authorization": "Bearer " + os.environ["RECURSIV_API_KEY"]}
JSON = {"Content-Type": "application/json"}


class Session:
    """One connection for everything that is asked, but for this: http.client sends a body after its head, in a packet of its
    own, and a refusal that overtakes it says that the connection ends. The next request then opens another."""

    def __init__(self):
        where = urllib.parse.urlsplit(BASE)
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
        self.connection.connect()
        self.socket = self.connection.sock
        self.asked = 0

    def ask(self, method, path, body=None, headers=BEARER):
        self.connection.request(method, path, body=body, headers=headers)
        response = self.connection.getresponse()
        text = response.read()
        is_overtaken = response.status >= 400 and body is not None and response.getheader("Connection") == "close"
        if not is_overtaken:
            expect(self.connection.sock, self.socket, f"the connection after {method} {path}")
        elif self.connection.sock is None:
            self.connection.connect()
            self.socket = self.connection.sock
        self.asked += 1
        return response, json.loads(text) if text else None

    def granted(self, method, path, body=None, headers=BEARER):
        response, answer = self.ask(method, path, body, headers)
        expect(response.status, 200, f"{method} {path}")
        seen = answer["data"]
        expect((seen["method"], seen["target"]), (method, path), "what the service was asked")
        expect(seen["organization_id"], "org_python", "whose request it is")
        return seen

    def refused(self, status, code, method, path, body=None, headers=BEARER):
        response, problem = self.ask(method, path, body, headers)
        expect((response.status, problem["code"]), (status, code), f"{method} {path}")
        expect(response.getheader("Content-Type"), "application/problem+json", "the kind of answer")
        return problem


def expect(seen, wanted, what):
    if seen != wanted:
        raise SystemExit(f"{what}: {seen!r} instead of {wanted!r}")


def keep_alive():
    session = Session()
    project = json.dumps({"name": "Zürich ☃", "tags": ["a", "b"], "size": 3}, ensure_ascii=False)

    session.granted("GET", "/api/v1/projects?limit=2&after=p_1")
    seen = session.granted("POST", "/api/v1/projects", project.encode(), BEARER | JSON)
    expect(seen["body"], project, "the body")
    expect(seen["content_type"], "application/json", "its type")
    # A generator has no length: http.client sends it in chunks.
    pieces = (f"line {number}\n".encode() for number in range(1000))
    seen = session.granted("POST", "/api/v1/projects/p_1/deployments", pieces)
    expect(seen["body"], "".join(f"line {number}\n" for number in range(1000)), "the body that came in chunks")
    session.granted("PATCH", "/api/v1/projects/p_1", b"{}", BEARER | JSON)
    session.granted("DELETE", "/api/v1/projects/p_1")

    problem = session.refused(403, "insufficient_scope", "POST", "/api/v1/posts", project.encode(), BEARER | JSON)
    expect(problem["required_scopes"], ["posts:write"], "the scope that is missing")
    # The answer is not lost although most of the body is still on its way.
    session.refused(403, "insufficient_scope", "POST", "/api/v1/uploads", b"x" * 300_000)
    session.refused(401, "missing_credential", "GET", "/api/v1/projects", headers={})
    session.refused(401, "invalid_session", "GET", "/api/v1/projects", headers={"Authorization": "Bearer nonsense"})
    session.refused(403, "wrong_organization", "GET", "/api/v1/organizations/org_other",
                    headers=BEARER | {"X-Org-Id": "org_other"})
    session.granted("GET", "/api/v1/projects/p_1")
    return session.asked


def one_connection_each():
    path = "/api/v1/projects"
    with urllib.request.urlopen(urllib.request.Request(BASE + path, headers=BEARER), timeout=30) as response:
        expect(json.load(response)["data"]["target"], path, "what urllib asked")
    try:
        urllib.request.urlopen(BASE + path, timeout=30)
    except urllib.error.HTTPError as refusal:
        expect(refusal.code, 401, "urllib without a key")
        expect(refusal.headers["WWW-Authenticate"], 'Bearer realm="keygate"', "the challenge")
        expect(json.load(refusal)["code"], "missing_credential", "the code")
    else:
        raise SystemExit("urllib without a key was let through")
    return 2


print(f"{keep_alive()} answers in one session, {one_connection_each()} on their own")

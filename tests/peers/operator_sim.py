"""A simulator of a mobile operator's request interface, as deploy/gateways/operator-sms.md describes it.

It is a simulator and says so: no such operator exists, and nothing is sent to any phone. Tests steer it through its
attributes; run alone it listens on a port and prints what it gets.
"""
import http.server
import json
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request

COUNTS = {"targeted": 30000, "sent": 30000, "delivered": 28700, "failed": 1300}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "keng-operator-simulator/1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-Simulator", "this is not an operator: nothing is sent to any phone")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def drop(self):
        self.close_connection = True
        self.connection.close()

    def authorized(self):
        if self.headers.get("Authorization") == f"Bearer {self.server.sim.token}":
            return True
        self.answer(401, {"status": "refused", "code": "login", "reason": "token"})
        return False

    def do_POST(self):
        sim = self.server.sim
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.authorized():
            return
        if self.path.endswith("/stop"):
            self.stop(sim, self.path[len("/requests/"):-len("/stop")])
            return
        with sim.lock:
            sim.posts.append((time.monotonic(), self.headers.get("Idempotency-Key"), body))
            how = sim.script.pop(0) if sim.script else sim.how
        sim.play(how, self, body)

    def stop(self, sim, number):
        with sim.lock:
            sim.stops.append(number)
            known = sim.requests.get(number)
            if known:
                known["state"] = "stopped"
                known["code"] = "on-request"
        self.answer(200 if known else 404, sim.status(number) if known else {"status": "refused", "code": "unknown"})

    def do_GET(self):
        sim = self.server.sim
        if not self.authorized():
            return
        number = self.path[len("/requests/"):]
        with sim.lock:
            sim.gets.append(number)
            if sim.gets_fail > 0:
                sim.gets_fail -= 1
                return self.answer(502, b"<html>bad gateway</html>")
            known = number in sim.requests
            if known:
                sim.advance(number)
            status = sim.status(number) if known else {"status": "refused", "code": "unknown"}
        return self.answer(200 if known else 404, status)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that hung up, as killed ones do


class OperatorSim:
    def __init__(self, token="s3cret", certificate=None):
        self.token = token
        self.how = "accept"     # what a POST gets when the script is empty
        self.script = []        # one entry a POST
        self.steps = ["sending", "finished"]  # what status questions see, one after the other
        self.quota = None       # messages left; None: no limit
        self.counts = dict(COUNTS)
        self.gets_fail = 0
        self.slow_s = 0
        self.callbacks = []     # states told by calling back, instead of waiting for questions
        self.callback_token = ""
        self.callback_answers = []
        self.posts, self.gets, self.stops = [], [], []
        self.requests = {}
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.sim = self
        self.port = self.server.server_port
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.port}/requests"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    # -- what it does with a request --

    def play(self, how, handler, body):
        if how == "slow":
            time.sleep(self.slow_s)
        if how == "503":
            return handler.answer(503, b"", Retry_After="1")
        if how == "500":
            return handler.answer(500, b"")
        if how == "drop":
            return handler.drop()
        if how == "html":
            return handler.answer(200, b"<html>welcome</html>")
        if how == "quota":
            return handler.answer(429, {"status": "refused", "code": "quota-exceeded", "reason": "quota of today is used up"})
        if how == "refuse":
            return handler.answer(422, {"status": "refused", "code": "sender-unknown", "reason": "brandname not registered"})
        status, answer = self.take(body)
        if how == "take-and-drop":
            return handler.drop()
        if how == "take-and-rubbish":
            return handler.answer(200, b'{"status": "acc')
        return handler.answer(status, answer)

    def take(self, body):
        request = json.loads(body)
        number = request["id"]
        with self.lock:
            known = self.requests.get(number)
            if known and known["body"] != body:
                return 409, {"status": "refused", "code": "conflict", "reason": "another request had this id"}
            if known:
                return 200, self.status(number)
            self.requests[number] = {"body": body, "request": request, "state": "accepted", "steps": list(self.steps)}
            told = list(self.callbacks)
        if told:
            threading.Thread(target=self.call_back, args=(request, told), daemon=True).start()
        return 202, self.status(number)

    def advance(self, number):
        known = self.requests[number]
        if known["steps"] and not self.callbacks and known["state"] not in ("stopped", "finished"):
            known["state"] = known["steps"].pop(0)
            known["code"] = "quota-exceeded" if known["state"] == "stopped" else ""

    def status(self, number):
        known = self.requests[number]
        state = known["state"]
        answer = {"id": number, "status": state}
        if state in ("finished", "stopped"):
            answer["counts"] = self.counts
            answer["started"] = "2026-11-22T21:06:10+07:00"
            answer["ended"] = "2026-11-22T21:07:50+07:00"
        elif state == "sending":
            answer["counts"] = {"targeted": 30000, "sent": 12000, "delivered": 9000}
        if known.get("code"):
            answer["code"] = known["code"]
        return answer

    def call_back(self, request, states):
        for state in states:
            time.sleep(0.1)
            with self.lock:
                self.requests[request["id"]]["state"] = state
                body = json.dumps(self.status(request["id"])).encode()
            call = urllib.request.Request(request["callback"], data=body, headers={
                "Authorization": f"Bearer {self.callback_token}", "Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(call, timeout=5) as answer:
                    self.callback_answers.append(answer.status)
            except urllib.error.HTTPError as error:
                self.callback_answers.append(error.code)


if __name__ == "__main__":
    simulator = OperatorSim(token=sys.argv[1] if len(sys.argv) > 1 else "s3cret")
    print(f"simulator (no operator, no phones) at {simulator.url}", flush=True)
    seen = 0
    while True:
        time.sleep(0.5)
        for _, key, _ in simulator.posts[seen:]:
            print(f"request {key}", flush=True)
            seen += 1

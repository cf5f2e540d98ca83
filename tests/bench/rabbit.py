"""RabbitMQ from Debian, beside the benches: installed on demand, on loopback, with its own data folder, stopped by pid."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from world import free_block

PACKAGES = ["rabbitmq-server", "librabbitmq-dev"]
SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"


def install():
    """True when there is something to build with and to run."""
    if os.path.exists(SERVER) and subprocess.run(["pkg-config", "--exists", "librabbitmq"], check=False).returncode == 0:
        return True
    # RUNLEVEL=1: the package must not start a server of its own.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES], env=environment,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print("RabbitMQ is left out, its packages cannot be installed: " + done.stderr.strip()[-200:])
    return done.returncode == 0


class Rabbit:
    def __init__(self, data):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="keng-bench-rabbit-", dir=data))
        os.chmod(self.dir, 0o755)
        self.port = free_block()
        distribution, mapper = self.port + 1, self.port + 2
        (self.dir / "plugins").write_text("[].\n")
        environment = {
            **os.environ, "HOME": str(self.dir), "RABBITMQ_NODENAME": "bench@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.dir / "mnesia"), "RABBITMQ_LOG_BASE": str(self.dir / "log"),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.dir / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(mapper), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self.log = open(self.dir / "server.log", "ab")
        self.epmd = self.spawn(["epmd", "-address", "127.0.0.1", "-port", str(mapper)], environment)
        self.server = self.spawn([SERVER], environment)
        self.await_port()

    def spawn(self, command, environment):
        return subprocess.Popen(command, env=environment, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=self.log,
                                stderr=self.log, start_new_session=True)

    def await_port(self):
        end = time.monotonic() + 90
        while time.monotonic() < end:
            if self.server.poll() is not None:
                raise SystemExit("bench: RabbitMQ ended:\n" + (self.dir / "server.log").read_text(errors="replace")[-2000:])
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                time.sleep(2)  # it listens a little before it works
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("bench: RabbitMQ does not listen after 90 s")

    def stop(self):
        for process in (self.server, self.epmd):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)  # the session it was started in: its shell and its beam
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

"""A RabbitMQ broker of its own: private cookie, names and ports, on loopback only."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from atalaya import until

FOLDERS = sorted(pathlib.Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin"))


def missing():
    """What is not installed; "" when all is there."""
    if not FOLDERS:
        return "rabbitmq-server is not installed (script/setup)"
    return "" if shutil.which("amqp-get") else "amqp-tools is not installed (script/setup)"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        return reserved.getsockname()[1]


class RabbitMq:
    def __init__(self):
        self.home = tempfile.TemporaryDirectory(prefix="atalaya-mq-")
        base = pathlib.Path(self.home.name)
        self.port, distribution, epmd = free_port(), free_port(), free_port()
        cookie = base / ".erlang.cookie"
        cookie.write_text("atalayatest")
        cookie.chmod(0o400)
        (base / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = false\nvm_memory_high_watermark.absolute = 512MiB\n"
            "disk_free_limit.absolute = 10MB\n")
        (base / "enabled_plugins").write_text("[].")
        loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
        self.environment = os.environ | {
            "HOME": str(base), "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(epmd),
            "RABBITMQ_NODENAME": "atalaya@localhost", "RABBITMQ_MNESIA_BASE": str(base / "mnesia"),
            "RABBITMQ_LOG_BASE": str(base / "log"), "RABBITMQ_PID_FILE": str(base / "pid"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_CONFIG_FILE": str(base / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(base / "enabled_plugins"), "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": loopback + " +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
            "RABBITMQ_CTL_ERL_ARGS": loopback}
        self.process = None

    def start(self):
        self.output = open(os.path.join(self.home.name, "out"), "a", encoding="utf-8")
        self.process = subprocess.Popen([FOLDERS[-1] / "rabbitmq-server"], env=self.environment, stdout=self.output,
                                        stderr=self.output, stdin=subprocess.DEVNULL, start_new_session=True)
        until(self.answers, timeout=90, what="RabbitMQ listens")

    def answers(self):
        # A connection alone is answered before logins are.
        return subprocess.run(["amqp-declare-queue", *self.where(), "-q", "ready"], capture_output=True,
                              timeout=30).returncode == 0

    def where(self):
        return ["--server", f"127.0.0.1:{self.port}"]

    def declare(self, queue):
        subprocess.run(["amqp-declare-queue", *self.where(), "-d", "-q", queue], check=True, capture_output=True, timeout=30)

    def get(self, queue):
        """The next message, or None."""
        done = subprocess.run(["amqp-get", *self.where(), "-q", queue], capture_output=True, text=True, timeout=30)
        return done.stdout if done.returncode == 0 else None

    def stop(self):
        if self.process is None:
            return
        # Its own group: the server with what it started.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self.process = None
        self.output.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        # epmd leaves the group when it starts; it listens on a port of its own, and ends once it knows of no node.
        until(self.epmd_ended, what="epmd ends")
        self.home.cleanup()

    def epmd_ended(self):
        done = subprocess.run(["epmd", "-kill"], env=self.environment, capture_output=True, text=True, timeout=30)
        return done.returncode == 0 or "Cannot connect" in done.stdout + done.stderr

# SPDX-License-Identifier: Apache-2.0
"""nginx in the foreground, with a directory of its own."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from .waiting import wait_until

BINARY = shutil.which("nginx") or "/usr/sbin/nginx"


class Nginx:
    """One nginx whose `http` block is given."""

    def __init__(self, directory, port, http):
        self.directory = Path(directory)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.root = self.directory / "files"
        self.root.mkdir(exist_ok=True)
        self.log = self.directory / "access.log"
        paths = "\n".join(f"{kind}_temp_path {self.directory}/{kind};" for kind in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # As root, the workers would become `nobody` and could not read a private directory.
        user = "user root;" if os.geteuid() == 0 else ""
        self.configuration = self.directory / "nginx.conf"
        self.configuration.write_text(f"""
            daemon off; {user}
            worker_processes 1;
            pid {self.directory}/pid;
            error_log {self.directory}/error.log;
            events {{ worker_connections 512; }}
            http {{
                log_format connections '$connection $connection_requests $request';
                access_log {self.log} connections;
                types {{ text/plain txt; }}
                {paths}
                {http}
            }}""")

    def start(self):
        self.process = subprocess.Popen(
            [BINARY, "-e", f"{self.directory}/error.log", "-p", str(self.directory),
             "-c", str(self.configuration)], stderr=subprocess.DEVNULL)
        wait_until(self._accepts, timeout=10, what="nginx to accept")
        return self

    def _accepts(self):
        assert self.process.poll() is None, (self.directory / "error.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

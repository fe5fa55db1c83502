#!/bin/bash
# SPDX-License-Identifier: MIT
# Milliseconds from the start of edged to the first answer of GET /health/live on an empty data directory, and what it holds at rest.
# usage: tests/bench/start.sh [BIN_DIR] [TIMES]   (default .build/release/bin, 7)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
exec python3 - "${1:-$root/.build/release/bin}" "${2:-7}" << 'PYTHON'
import http.client, os, socket, subprocess, sys, tempfile, time

def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]

def answers(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False

def start(binary):
    with tempfile.TemporaryDirectory() as work:
        port = free_port()
        began = time.perf_counter()
        daemon = subprocess.Popen(
            [binary, "--config", "none", "--data-dir", work + "/data", "--listen", f"127.0.0.1:{port}"],
            stderr=subprocess.DEVNULL, env={**os.environ, "XDG_RUNTIME_DIR": work})
        while not answers(port):
            if daemon.poll() is not None:
                sys.exit(f"edged ended with {daemon.returncode}")
            time.sleep(0.0005)
        spent = (time.perf_counter() - began) * 1000
        with open(f"/proc/{daemon.pid}/status") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        daemon.terminate()
        daemon.wait()
        return spent, resident / 1024

runs = [start(sys.argv[1] + "/edged") for _ in range(int(sys.argv[2]))]
middle = len(runs) // 2
print(f"first answer after {sorted(ms for ms, _ in runs)[middle]:.1f} ms (median of {len(runs)}), "
      f"{sorted(mib for _, mib in runs)[middle]:.0f} MiB resident")
PYTHON

"""What suites in a real browser share: the browser, and a small site on loopback."""

from __future__ import annotations

BROWSER = """
    import pytest
    from pytest_workflow_monitor.browser import browser_launch_options

    @pytest.fixture(scope="session")
    def browser_type_launch_args(browser_type_launch_args, playwright):
        return {**browser_launch_options(playwright.chromium.executable_path),
                **browser_type_launch_args}
"""

SITE = (
    BROWSER
    + '''
    import contextlib
    import threading
    import time
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from urllib.parse import urlsplit

    @pytest.fixture(scope="session")
    def site():
        """The address of a site: /<status> answers so, /slow after a while, /hang never."""
        over = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = urlsplit(self.path).path
                if path == "/slow":
                    time.sleep(1.5)
                if path == "/hang":
                    over.wait(20)
                status = int(path[1:]) if path[1:].isdigit() else 200
                body = b"<!doctype html><title>Shop</title><h1>Apples</h1>"
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Type", "text/html")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
            do_POST = do_GET
            def log_message(self, *_): pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        over.set()
        server.shutdown()
        server.server_close()
'''
)

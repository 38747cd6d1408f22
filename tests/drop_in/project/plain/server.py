"""Keeps what it is given in Memo."""

import http.server
import os
import urllib.request


def memo(path, body=None):
    request = urllib.request.Request(
        f"{os.environ['MEMO_URL']}/{path}",
        data=body,
        method="PUT" if body is not None else "GET",
        headers={"Password": os.environ["MEMO_PASSWORD"]},
    )
    with urllib.request.urlopen(request) as response:
        return response.read()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/health":
            return self.answer(200)
        try:
            return self.answer(200, memo(self.path.strip("/")))
        except OSError:
            return self.answer(404)

    def do_PUT(self):
        memo(self.path.strip("/"), self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(201)


http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()

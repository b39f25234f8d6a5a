"""An application as it stands in a pod: on loopback alone, and it says what it was told of the caller."""
import http.server
import sys


class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = "".join(f"{name.lower()}: {value}\n" for name, value in self.headers.items())
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told.encode())

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), App).serve_forever()

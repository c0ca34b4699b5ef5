"""What stand-ins for HTTP servers share: their arguments, a listener that can be away, and the
conversation with the test.

A stand-in listens at a port of the loopback, which it writes on its standard output as {"port":N}. Then
each line of its standard input is a JSON object; each is answered by one line.
"""
import argparse, json, socket, ssl, struct, sys, threading
from http.server import ThreadingHTTPServer

lock = threading.RLock()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--client-authority")
    return parser.parse_args()


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    context = None
    # Connections that were accepted and have not ended.
    open = 0

    def __init__(self, handler, faults, given):
        super().__init__(("127.0.0.1", 0), handler)
        self.faults = faults
        if given.certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(given.certificate, given.key)
            if given.client_authority:
                self.context.verify_mode = ssl.CERT_REQUIRED
                self.context.load_verify_locations(given.client_authority)

    def count(self, change):
        with lock:
            self.open += change

    def process_request(self, request, address):
        if self.faults["away"]:
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return request.close()
        self.count(1)
        super().process_request(request, address)

    def process_request_thread(self, request, address):
        try:
            super().process_request_thread(request, address)
        finally:
            self.count(-1)

    def finish_request(self, request, address):
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, address)

    def handle_error(self, request, address):
        pass

    def change(self, asked):
        """Takes {"set": {fault: value}}; what is wrong with it."""
        unknown = set(asked.get("set", {})) - set(self.faults)
        if unknown:
            return {"error": f"unknown: {unknown}"}
        self.faults.update(asked.get("set", {}))
        return None

    def serve(self, command):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        print(json.dumps({"port": self.server_address[1]}), flush=True)
        for line in sys.stdin:
            try:
                print(json.dumps(command(json.loads(line))), flush=True)
            except Exception as problem:
                print(json.dumps({"error": repr(problem)}), flush=True)

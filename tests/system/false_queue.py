"""A queue that says what a test wants posternctl to show: rows that no real
client could have made, or not yet."""
import contextlib
import pathlib
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "hostile"))
import records  # noqa: E402

# enum recipient_state, enum pause_kind, enum route_kind
WAITING, HELD, FAILED = 0, 1, 2
PAUSE_ALL, PAUSE_DESTINATION = 1, 2
MAILBOX, RELAY, MX = 0, 1, 2


def item(n, **changes):
    fields = dict(
        id=(1800000000000 << 20) + n, arrival=int(time.time()) - 3700,
        size=4711, sender="alice@here.test", number=0,
        address="someone@other.test", original="someone@other.test", kind=MX,
        name="", user="", destination="mx:other.test", state=WAITING,
        attempts=3, next_try=int(time.time()) + 725, in_flight=0,
        host="mx.other.test [192.0.2.30]", reply="450 4.2.0 not now",
        notify=0, orcpt="", paused=0)
    fields.update(changes)
    return records.Message("CTL_ITEM", **fields)


def destination(name, **changes):
    fields = dict(name=name, waiting=7, held=1, failed=2, in_flight=3,
                  deliveries=2, window=20, failures=1,
                  backoff_until=int(time.time()) + 125,
                  next_try=int(time.time()) + 125,
                  reply="connection refused", paused=0)
    fields.update(changes)
    return records.Message("CTL_DESTINATION", **fields)


def stat(name, value, rises=0):
    return records.Message("CTL_STAT", name=name, value=value, rises=rises,
                           help="what this counts, in words that are many, "
                           "so that they are longer than a line of a terminal")


class FalseQueue(threading.Thread):
    """Listens on `folder`/run/control until it is closed. `answers` has a list
    for each type of question."""

    def __init__(self, folder, **answers):
        super().__init__(daemon=True)
        self.answers = answers
        self.silent = False  # hears the questions and does not answer
        self.clients = []
        self.answered = 0
        self.run_dir = folder / "run"
        self.run_dir.mkdir()
        self.config = folder / "postern.conf"
        self.config.write_text(
            f'hostname "mail.here.test"\nrun "{self.run_dir}"\n'
            'listen on 127.0.0.1 port 25\n'
            'mailbox "people" users system deliver maildir "~/Maildir"\n'
            'accept to domain "here.test" mailbox "people"\n')
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.bind(str(self.run_dir / "control"))
        self.sock.listen(8)
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        self.clients.append(client)
        with client:
            try:
                while (m := records.receive(client, 600)) is not None:
                    if self.silent:
                        continue
                    rows = self.answers.get(m.type, [])
                    for row in rows:
                        row.handle = m.handle
                        records.send_raw(client, records.encode(row),
                                         [row.fd] if row.fd else [])
                    records.send(client, "CTL_END", m.handle, code=0,
                                 count=len(rows))
                    self.answered += 1
            except OSError:
                pass

    def hang_up(self):
        """On all that are there now; others may come."""
        there, self.clients = self.clients, []
        for client in there:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

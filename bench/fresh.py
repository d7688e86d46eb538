"""New messages beside a backlog: from their 250 to their destination."""
import threading
import time
import uuid

from lab import ScriptedServer

import figures

HEALTHY_EVERY, OTHER_EVERY = 0.1, 1.0
LAST_ONES = 60


def receive(conversation, arrived):
    conversation.say("220 new")
    while True:
        verb = conversation.hear()[:4].strip().upper()
        if verb == "DATA":
            conversation.say("354 go on")
            lines = conversation.hear_content()
            now = time.monotonic()
            for line in lines:
                if line.startswith("Subject: "):
                    arrived[line[9:].strip()] = now
        conversation.say("221 bye" if verb == "QUIT" else "250 ok")


class Stream:
    """One message every so often, over one connection."""

    def __init__(self, fresh, name, every, domain):
        self.fresh, self.name, self.every = fresh, name, every
        self.domain, self.sent = domain, []
        self.thread = threading.Thread(target=self.send, daemon=True)
        self.thread.start()

    def send(self):
        net, due = self.fresh.net, time.monotonic()
        with net.client.smtp(net.here.ip4, timeout=60) as smtp:
            smtp.ehlo()
            while not self.fresh.ended.wait(max(0, due - time.monotonic())):
                self.send_one(smtp)
                due += self.every

    def send_one(self, smtp):
        token = uuid.uuid4().hex
        smtp.mail("alice@here.test")
        smtp.rcpt(f"u@{self.domain(len(self.sent))}")
        begin = time.monotonic()
        code, reply = smtp.data(f"Subject: {token}\n\nhello\n")
        now = time.monotonic()
        if code != 250:
            raise SystemExit(f"refused: {code} {reply}")
        self.sent.append((token, begin, now))

    def lateness(self, within=None):
        """Seconds from the 250 of each; infinite if it is not there yet."""
        arrived = self.fresh.arrived
        return [max(0, arrived.get(token, float("inf")) - sent)
                for token, _, sent in self.sent
                if within is None or within[0] <= sent < within[1]]

    def acceptance(self):
        return [sent - begin for _, begin, sent in self.sent]


class Fresh:
    def __init__(self, net):
        self.net, self.arrived, self.listing = net, {}, None
        self.ended = threading.Event()
        self.server = ScriptedServer(
            net.new, lambda c: receive(c, self.arrived))
        self.began = time.monotonic()
        self.streams = [
            Stream(self, "a healthy destination", HEALTHY_EVERY,
                   lambda n: "new.test"),
            Stream(self, "one never seen before", OTHER_EVERY,
                   lambda n: f"d{n}.new.test")]

    def elapsed(self):
        return time.monotonic() - self.began

    def run(self, seconds):
        time.sleep(seconds)

    def beside(self, work):
        begin = time.monotonic()
        result = work()
        self.listing = begin, time.monotonic()
        return result

    def settle(self):
        """Waits for what is still under way."""
        self.ended.set()
        for stream in self.streams:
            stream.thread.join(60)
        end = time.monotonic() + LAST_ONES
        while time.monotonic() < end and any(
                float("inf") in s.lateness() for s in self.streams):
            time.sleep(0.1)

    def show(self):
        self.settle()
        for stream in self.streams:
            figures.times(f"to {stream.name}", stream.lateness())
            figures.times("  while all is listed",
                          stream.lateness(self.listing))
            figures.times("  its 250, after the dot", stream.acceptance())
        self.server.close()

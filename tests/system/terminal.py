"""A terminal of which a test can see what a person would."""
import os
import subprocess

from lab import run, wait_for


class Terminal:
    """A command in tmux, on a screen of so many columns and lines."""

    count = 0

    def __init__(self, directory, *command, columns=80, lines=24):
        # A name of its own: another server may just be ending.
        Terminal.count += 1
        self.socket = directory / f"tmux-{Terminal.count}"
        environment = dict(os.environ, LC_ALL="C.UTF-8", TERM="screen")
        for name in "TMUX", "NO_COLOR":
            environment.pop(name, None)
        self.status = directory / f"status-{Terminal.count}"
        words = " ".join(f"'{word}'" for word in command)
        subprocess.run(
            ["tmux", "-u", "-S", self.socket, "-f", "/dev/null",
             "new-session", "-d", "-x", str(columns), "-y", str(lines),
             f"{words}; echo $? >'{self.status}'; exec sleep 600"],
            check=True, env=environment)

    def tmux(self, *words):
        return run("tmux", "-S", self.socket, *words).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def shows(self, text, seconds=20):
        """The screen, as soon as that text is on it."""
        return wait_for(f"{text!r} on the screen",
                        lambda: (lambda s: s if text in s else None)(
                            self.screen()), seconds)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def resize(self, columns, lines):
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def exit_code(self):
        """What it ended with; waits until it does."""
        def ended():
            return self.status.exists() and self.status.read_text().strip()
        return int(wait_for("the command to end", ended))

    def close(self):
        run("tmux", "-S", self.socket, "kill-server", check=False)

"""Connections that fail: a forwarder between two Unix sockets whose traffic a test can cut, hold or tear.

What is held stays in the kernel's buffers, as it would with TCP, and comes in order when the link is well again.
"""
import os
import selectors
import socket
import threading


class FaultyLink:
    """Listens at `front` and forwards to `back`. Modes: open, hole (nothing passes), in, out (nothing passes in that
    direction only: to the front's peer, from it), cut (connections end, new ones are refused)."""

    def __init__(self, front, back):
        self.front, self.back = str(front), str(back)
        self.mode = "open"
        self.tear_after = None  # so many more bytes, then the connections end in the middle of whatever it was
        self.pairs = {}         # socket -> (other socket, True when it is the front's)
        self.selector = selectors.DefaultSelector()
        self.listener = None
        self.wake_read, self.wake_write = socket.socketpair()
        self.selector.register(self.wake_read, selectors.EVENT_READ)
        self.ending = False
        self.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def set(self, mode, tear_after=None):
        self.tear_after = tear_after
        self.mode = mode
        self.wake_write.send(b"x")

    def close(self):
        self.ending = True
        self.wake_write.send(b"x")
        self.thread.join()
        self.wake_write.close()

    # ---- the thread ----

    def listen(self):
        if os.path.exists(self.front):
            os.unlink(self.front)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.front)
        self.listener.listen(64)
        self.selector.register(self.listener, selectors.EVENT_READ)

    def drop(self, side):
        for each in (side, self.pairs[side][0]):
            if each in self.selector.get_map():
                self.selector.unregister(each)
            del self.pairs[each]
            each.close()

    def obey(self):
        self.wake_read.recv(4096)
        if self.mode == "cut":
            for side in [each for each, (_, is_front) in self.pairs.items() if is_front]:
                self.drop(side)
            if self.listener is not None:
                self.selector.unregister(self.listener)
                self.listener.close()
                self.listener = None
                os.unlink(self.front)
        elif self.listener is None:
            self.listen()
        for side in self.pairs:
            self.watch(side)

    def watch(self, side):
        held = self.mode == "hole" or self.mode == ("out" if self.pairs[side][1] else "in")
        watched = side in self.selector.get_map()
        if held and watched:
            self.selector.unregister(side)
        elif not held and not watched:
            self.selector.register(side, selectors.EVENT_READ)

    def accept(self):
        side = self.listener.accept()[0]
        other = socket.socket(socket.AF_UNIX)
        try:
            other.connect(self.back)
        except OSError:
            side.close()
            other.close()
            return
        for each, pair in ((side, (other, True)), (other, (side, False))):
            self.pairs[each] = pair
            self.watch(each)

    def forward(self, side):
        try:
            data = side.recv(65536)
            if self.tear_after is not None:
                data = data[:self.tear_after]
                self.tear_after -= len(data)
            if data:
                self.pairs[side][0].sendall(data)
        except OSError:
            data = b""
        if not data or self.tear_after == 0:
            self.drop(side)
            self.tear_after = None

    def serve(self):
        while not self.ending:
            for key, _ in self.selector.select():
                if key.fileobj is self.wake_read:
                    self.obey()
                    break  # what was ready may be gone
                if key.fileobj is self.listener:
                    self.accept()
                    break
                if key.fileobj in self.pairs:
                    self.forward(key.fileobj)
                    break
        for side in list(self.pairs):
            if side in self.pairs:
                self.drop(side)
        if self.listener is not None:
            self.listener.close()
        self.selector.close()
        self.wake_read.close()

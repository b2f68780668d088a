#!/usr/bin/env python3
"""Records commands on a terminal of their own, and writes what they print as an animated SVG without script.

    ci/recording.py OUT.svg COMMAND...

Each COMMAND is a line for sh(1), run in the working directory and shown behind a prompt, as it stands. What is drawn comes
from the run; only pauses are shortened. Who wants less motion sees the end."""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from xml.sax.saxutils import escape

COLUMNS, ROWS = 100, 26
WIDTH, HEIGHT = 8.4, 18  # of a character
PAUSE = 0.7  # no pause is longer, in seconds
FRAME = 0.12  # changes nearer to each other are one
HOLD = 6  # how long the end stays
COLOURS = {31: "#f38ba8", 32: "#a6e3a1", 33: "#f9e2af", 34: "#89b4fa", 35: "#cba6f7", 36: "#94e2d5"}


class Screen:
    """As much of a terminal as these programs need: lines, colours, a cursor that goes back and up."""

    def __init__(self):
        self.lines, self.row, self.column, self.style = [[]], 0, 0, (None, False)

    def write(self, text):
        for part in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|[\r\n])", text):
            if not part:
                continue
            if part == "\n":
                self.row += 1
                while len(self.lines) <= self.row:
                    self.lines.append([])
            elif part == "\r":
                self.column = 0
            elif part.startswith("\x1b["):
                self.control(part[-1], part[2:-1])
            else:
                for character in part:
                    self.put(character)

    def put(self, character):
        if self.column >= COLUMNS:
            self.write("\r\n")
        line = self.lines[self.row]
        line.extend([(" ", (None, False))] * (self.column + 1 - len(line)))
        line[self.column] = (character, self.style)
        self.column += 1

    def control(self, letter, numbers):
        count = int(numbers) if numbers.isdigit() else 0
        if letter == "A":
            self.row = max(0, self.row - max(1, count))
        elif letter == "J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1 :]
        elif letter == "B":
            self.write("\n" * max(1, count))
        elif letter == "K":
            self.lines[self.row] = [] if count == 2 else self.lines[self.row][: self.column]
        elif letter == "m":
            for number in numbers.split(";"):
                colour, bold = self.style
                number = int(number or 0)
                if number == 0:
                    self.style = (None, False)
                elif number == 1:
                    self.style = (colour, True)
                elif number in COLOURS:
                    self.style = (COLOURS[number], bold)

    def shown(self):
        """The last lines, each as runs of one style."""
        runs = []
        for line in self.lines[-ROWS:]:
            row = []
            for character, style in line:
                if row and row[-1][1] == style:
                    row[-1][0] += character
                else:
                    row.append([character, style])
            runs.append(tuple((text, style) for text, style in row))
        return tuple(runs)


def record(commands):
    """(time, what is shown) at each change."""
    screen, frames, clock = Screen(), [], 0.0

    def frame():
        shown = screen.shown()
        if frames and clock - frames[-1][0] < FRAME:
            frames[-1] = (frames[-1][0], shown)
        elif not frames or frames[-1][1] != shown:
            frames.append((clock, shown))

    for command in commands:
        for character in [*"$ ", *command, "\n\r"]:
            screen.style = (COLOURS[34], True) if character == "$" else (None, False)
            screen.write(character)
            clock += 0.03
            frame()
        child, terminal = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm-256color", CLICOLOR_FORCE="1")
            os.environ.pop("NO_COLOR", None)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.execlp("sh", "sh", "-c", command)
        last = time.monotonic()
        while True:
            select.select([terminal], [], [])
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            now = time.monotonic()
            clock, last = clock + min(now - last, PAUSE), now
            screen.write(piece.decode(errors="replace"))
            frame()
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
            sys.exit(f"{command}: failed")
        clock += PAUSE
        screen.write("\r")
    return frames, clock + HOLD


def svg(frames, length):
    width, height = COLUMNS * WIDTH + 32, ROWS * HEIGHT + 56
    style = [
        "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#cdd6f4;white-space:pre}",
        ".b{font-weight:bold}.f{visibility:hidden;animation-duration:%.2fs;animation-iteration-count:infinite;"
        "animation-timing-function:step-end}" % length,
    ]
    drawn, body = {}, []
    for number, (begun, shown) in enumerate(frames):
        end = frames[number + 1][0] if number + 1 < len(frames) else length
        first, last = 100 * begun / length, 100 * end / length
        name = f"a{number}"
        hide = f"0%{{visibility:hidden}}" if first > 0 else ""
        after = f"{last:.3f}%{{visibility:hidden}}" if last < 99.99 else ""
        style.append(f"@keyframes {name}{{{hide}{first:.3f}%{{visibility:visible}}{after}}}.{name}{{animation-name:{name}}}")
        group = []
        for row, line in enumerate(shown):
            if not line:
                continue
            # A line that is drawn again is written once.
            if line not in drawn:
                drawn[line] = f"l{len(drawn)}"
                spans = []
                for text, (colour, bold) in line:
                    text = escape(text.rstrip() if (text, (colour, bold)) == line[-1] else text)
                    attributes = (' class="b"' if bold else "") + (f' fill="{colour}"' if colour else "")
                    attributes = attributes.replace(' fill="', ' style="fill:') if colour else attributes
                    spans.append(f"<tspan{attributes}>{text}</tspan>" if attributes else text)
                body.append(f'<defs><text id="{drawn[line]}">{"".join(spans)}</text></defs>')
            group.append(f'<use href="#{drawn[line]}" x="16" y="{row * HEIGHT + 50}"/>')
        kind = " last" if number + 1 == len(frames) else ""
        body.append(f'<g class="f {name}{kind}">{"".join(group)}</g>')
    style.append("@media (prefers-reduced-motion:reduce){.f{animation:none}.last{visibility:visible}}")
    dots = "".join(f'<circle cx="{20 + 18 * i}" cy="18" r="5.5" fill="#585b70"/>' for i in range(3))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" role="img" '
        f'aria-label="wifibox-build in a terminal"><style>{"".join(style)}</style>'
        f'<rect width="100%" height="100%" rx="8" fill="#1e1e2e"/>{dots}\n' + "\n".join(body) + "\n</svg>\n"
    )


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    text = svg(*record(sys.argv[2:]))
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write(text)


main()

#!/usr/bin/env python3
"""Records the demo as an animated SVG: docs/record_demo.py PROGRAM [SVG]

Runs `PROGRAM demo` in a terminal of its own, keeps what the screen shows a few times a second, and writes the frames as one SVG. Nothing
is edited but the name of the temporary folder.
"""
import fcntl, html, os, pty, re, select, struct, sys, tempfile, termios, time

COLUMNS, LINES, EVERY = 112, 34, 0.7
COLOURS = {31: "#f47067", 32: "#57ab5a", 33: "#c69026", 36: "#39c5cf"}


class Screen:
    """The little of a terminal that the live table uses."""

    def __init__(self):
        self.lines, self.row, self.column, self.style = [[]], 0, 0, ""

    def feed(self, text):
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x1b]|\x1b", text):
            if part.startswith("\x1b["):
                self.control(part[2:-1], part[-1])
            elif part == "\n":
                self.row += 1
                self.column = 0
                while len(self.lines) <= self.row:
                    self.lines.append([])
            elif part == "\r":
                self.column = 0
            elif part >= " ":
                line = self.lines[self.row]
                line.extend([(" ", "")] * (self.column + 1 - len(line)))
                line[self.column] = (part, self.style)
                self.column += 1

    def control(self, argument, letter):
        number = int(argument) if argument.isdigit() else 0
        if letter == "A":
            self.row = max(0, self.row - max(1, number))
        elif letter == "K":
            del self.lines[self.row][self.column:]
        elif letter == "J":
            del self.lines[self.row][self.column:]
            del self.lines[self.row + 1:]
        elif letter == "m":
            for code in (int(c or 0) for c in argument.split(";")):
                if code == 0:
                    self.style = ""
                elif code == 1:
                    self.style += "b"
                elif code == 2:
                    self.style += "d"
                elif code in COLOURS:
                    self.style += str(code)

    def shown(self):
        return [list(line) for line in self.lines[-LINES:]]


def record(program, folder):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.environ.pop("NO_COLOR", None)
        os.execv(program, [program, "demo", "--dir", folder])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    screen, frames, started, last = Screen(), [], time.monotonic(), 0
    pending = b""
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            pending += data
            # A character or a sequence may be cut.
            cut = len(pending) if pending[-1:].isascii() and b"\x1b" not in pending[-8:] else pending.rfind(b"\n") + 1
            screen.feed(pending[:cut].decode(errors="replace"))
            pending = pending[cut:]
        now = time.monotonic() - started
        if now - last >= EVERY:
            frames.append((now, screen.shown()))
            last = now
    screen.feed(pending.decode(errors="replace"))
    frames.append((time.monotonic() - started, screen.shown()))
    _, status = os.waitpid(pid, 0)
    if status != 0:
        sys.exit(f"record_demo: the demo failed with status {status}")
    return frames


def spans(line):
    out, at = [], 0
    while at < len(line):
        style, start = line[at][1], at
        while at < len(line) and line[at][1] == style:
            at += 1
        text = "".join(c for c, _ in line[start:at])
        if text.strip():
            colour = next((f' fill="{v}"' for k, v in COLOURS.items() if str(k) in style), "")
            bold = ' font-weight="bold"' if "b" in style else ""
            dim = ' opacity="0.6"' if "d" in style else ""
            out.append(f'<tspan x="{12 + start * 7.83:.1f}"{colour}{bold}{dim}>{html.escape(text.rstrip())}</tspan>')
    return "".join(out)


def svg(frames):
    merged = [frames[0]]
    for frame in frames[1:]:
        if frame[1] != merged[-1][1]:
            merged.append(frame)
    total = merged[-1][0] + 6
    height = max(len(lines) for _, lines in merged)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 + COLUMNS * 7.83:.0f} {height * 17 + 24}" '
           'font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="13">',
           '<title>banksman demo</title><style>g{visibility:hidden}text{white-space:pre;fill:#adbac7}']
    for number, (at, _) in enumerate(merged):
        end = merged[number + 1][0] if number + 1 < len(merged) else total
        begin, end = 100 * at / total if number else 0, 100 * end / total
        out.append(f"@keyframes f{number}{{0%{{visibility:hidden}}{begin:.2f}%{{visibility:visible}}{end:.2f}%{{visibility:hidden}}}}"
                   f"#f{number}{{animation:f{number} {total:.1f}s step-end infinite}}")
    out.append(f"@media (prefers-reduced-motion:reduce){{g{{animation:none!important}}#f{len(merged) - 1}{{visibility:visible}}}}")
    out.append('</style><rect width="100%" height="100%" rx="8" fill="#22272e"/>')
    for number, (_, lines) in enumerate(merged):
        rows = "".join(f'<text y="{26 + 17 * row}">{spans(line)}</text>' for row, line in enumerate(lines) if spans(line))
        out.append(f'<g id="f{number}">{rows}</g>')
    return "\n".join(out) + "\n</svg>\n"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    program = os.path.abspath(sys.argv[1])
    target = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "demo.svg")
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        frames = record(program, os.path.join(folder, "d"))
        image = svg(frames).replace(html.escape(folder), "/tmp/demo")
    with open(target, "w") as file:
        file.write(image)
    print(f"{target}: {len(frames)} frames, {len(image) // 1024} kB")


if __name__ == "__main__":
    main()

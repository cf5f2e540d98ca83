"""The rules of the house that a compiler does not check: who may include whom, where foreign types stop, banned calls."""
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = re.search(r"set\(KENG_ROOMS ([^)]*)\)", (ROOT / "common/CMakeLists.txt").read_text()).group(1).split()

# A foreign header and the places that own it.
DOORS = {
    r"zmq\.h": ["common/bus/"],
    r"sqlite3\.h": ["common/store/"],
    r"curl/.*": ["common/http/"],
    r"libxml/.*": ["common/cap/"],
    r"gst/.*": ["services/loudspeaker/"],
    r"geos_c\.h": ["common/areas/"],
    r"utf8proc\.h": ["common/text/"],
    r"sodium\.h": ["common/trust/", "common/alert/", "common/store/"],
    r"protobuf-c.*": ["common/alert/", "common/wire/", "common/trust/", "common/cap/"],
    r".*\.pb-c\.h": ["common/alert/", "common/wire/", "common/trust/", "common/cap/"],
    r"jansson\.h": ["common/airing/", "common/areas/", "services/sms/", "services/broadcast/", "services/loudspeaker/"],
    r"microhttpd\.h": ["services/sms/", "common/http/"],
    r"seccomp\.h": ["common/cap/"],
}
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "gets", "system", "alloca", "popen"]


def sources(*folders, suffixes=(".c", ".h")):
    return sorted(p for f in folders for p in (ROOT / f).rglob("*") if p.suffix in suffixes)


def name(path):
    return str(path.relative_to(ROOT))


def without_comments(text):
    """Code with comments and the content of strings blanked, line numbers kept."""
    pattern = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/', re.S)

    def blank(m):
        s = m.group(0)
        if s.startswith("/*"):
            return re.sub(r"[^\n]", " ", s)
        return s[0] + " " * (len(s) - 2) + s[-1]

    return pattern.sub(blank, text)


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if m:
            yield number, m.group(1)


class Architecture(unittest.TestCase):
    def none(self, found):
        self.assertEqual([], found, "\n" + "\n".join(found))

    def test_includes_point_down(self):
        found = []
        for path in sources("common"):
            room = path.relative_to(ROOT / "common").parts[0]
            self.assertIn(room, ROOMS, f"{name(path)}: this room is not in common/CMakeLists.txt")
            for number, what in includes(path):
                target = what.split("/")[0]
                if target in ROOMS and ROOMS.index(target) > ROOMS.index(room):
                    found.append(f"{name(path)}:{number}: {room} includes {what}, which stands above it")
        self.none(found)

    def test_a_service_never_includes_another(self):
        found = []
        services = [p.name for p in (ROOT / "services").iterdir() if p.is_dir()]
        for path in sources("services"):
            own = path.relative_to(ROOT / "services").parts[0]
            for number, what in includes(path):
                for other in services:
                    if other != own and re.match(rf"(\.\./)*(services/)?{other}/", what):
                        found.append(f"{name(path)}:{number}: {own} includes {what} of {other}")
        for path in sources("common"):
            for number, what in includes(path):
                if what.startswith("services/"):
                    found.append(f"{name(path)}:{number}: common includes {what}")
        self.none(found)

    def test_foreign_types_stop_at_one_door(self):
        found = []
        for path in sources("common", "services"):
            for number, what in includes(path):
                for pattern, owners in DOORS.items():
                    if re.fullmatch(pattern, what) and not any(name(path).startswith(o) for o in owners):
                        found.append(f"{name(path)}:{number}: {what} belongs behind {', '.join(owners)}")
        self.none(found)

    def test_no_banned_call(self):
        found = []
        pattern = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
        for path in sources("common", "services"):
            for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
                m = pattern.search(line)
                if m:
                    found.append(f"{name(path)}:{number}: {m.group(1)}")
        self.none(found)

    def test_comments_are_for_readers(self):
        found = []
        for path in sources("common", "services", "tests"):
            for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
                if "//" in line:
                    found.append(f"{name(path)}:{number}: a // note")
        marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
        for path in sources("common", "services", "tests", "deploy", suffixes=(".c", ".h", ".py", ".yaml", ".md", ".sh")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if marks.search(line):
                    found.append(f"{name(path)}:{number}: unfinished")
        self.none(found)

    def test_no_mutable_state_at_file_scope(self):
        """Only the log, the clock's test shift and the fault points keep state of the process; and main.c may."""
        allowed = {"common/base/log.c", "common/base/clock.c", "common/base/fault.c"}
        found = []
        pattern = re.compile(r"^(static\s+)?(?!.*\b(const|typedef|extern|return|_Static_assert|struct\s+\w+;|enum)\b)"
                             r"(static\s+)[\w\s*]+?\b(\w+)(\[[^\]]*\])?\s*(=|;)")
        for path in sources("common", "services", suffixes=(".c",)):
            if name(path) in allowed or path.name == "main.c":
                continue
            for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
                m = pattern.match(line)
                if m and "(" not in line.split("=")[0]:
                    found.append(f"{name(path)}:{number}: {m.group(4)}")
        self.none(found)

    def test_names_of_files_are_unique(self):
        seen = {}
        found = []
        for path in sources("common", suffixes=(".c",)):
            if path.stem in seen:
                found.append(f"{name(path)} and {name(seen[path.stem])} share a stem")
            seen[path.stem] = path
        self.none(found)

    def test_every_public_header_is_a_manual_page(self):
        found = []
        for path in sources("common", suffixes=(".h",)):
            if not re.match(r"/\*\n \* \w+ - \S", path.read_text()):
                found.append(f"{name(path)}: does not begin with what the module is for")
        self.none(found)

    def test_nothing_of_a_machine_is_committed(self):
        files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.split(b"\0")
        if files == [b""]:
            self.skipTest("not a git checkout")
        found = []
        pattern = re.compile(rb"/wo" rb"rk/|/ro" rb"ot/|deb\.deb" rb"ian\.org|registry\.np" rb"mjs")
        for entry in filter(None, files):
            path = ROOT / entry.decode()
            if path.is_file():
                for number, line in enumerate(path.read_bytes().splitlines(), 1):
                    if pattern.search(line):
                        found.append(f"{entry.decode()}:{number}")
        self.none(found)


if __name__ == "__main__":
    unittest.main()

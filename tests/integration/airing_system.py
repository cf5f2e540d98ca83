"""A small Keng whose loudspeakers or radio are what a test says: System with one sink file rewritten.

Not a test file: test_loudspeaker.py, test_broadcast.py, test_bad_days.py and tests/crash use it.
"""
import re

from system import BIN, System, alert_id, wait_until


class AiringSystem(System):
    def drivers(self, sink, entries, stations):
        """entries: {name: (kind, YAML of its file)}; stations: {id: (driver, settings, person)}; the rest stay."""
        path = self.home / f"{sink}.yaml"
        text = path.read_text()
        lines = []
        for name, (kind, yaml) in entries.items():
            (self.home / f"drivers/{name}.yaml").write_text(yaml)
            lines.append(f"  - {{name: {name}, kind: {kind}, config: drivers/{name}.yaml}}\n")
        text = text.replace("drivers:\n", "drivers:\n" + "".join(lines), 1)
        for station, (driver, settings, person) in stations.items():
            old = re.search(rf'^  - \{{id: "{re.escape(station)}".*\}}$', text, re.M).group(0)
            new = re.sub(r"driver: [\w-]+", f"driver: {driver}", old)
            new = re.sub(r", (settings|person): \"[^\"]*\"", "", new)
            new = new[:-1] + f', settings: "{settings}", person: "{person}"}}'
            text = text.replace(old, new)
        path.write_text(text)

    def device(self, station, medium, **settings):
        """Gives the station to tests/peer/nullsink, a process named "device" whose device is the log device_log() reads."""
        port = int(re.search(r"control: tcp://127.0.0.1:(\d+)", (self.home / "loudspeaker.yaml").read_text()).group(1)) + 1
        key = self.run("keng", "key", "new", "--use", "connect", self.home / "keys/device").stdout.strip()
        with open(self.home / "keys.yaml", "a", encoding="utf-8") as keys:
            keys.write(f'  - {{use: connect, key: {key}, holder: "device sink", role: sink, stations: ["*"]}}\n')
        self.sign_manifest()
        sms = (self.home / "sms.yaml").read_text()
        head = sms[:sms.index("drivers:")].replace("name: sms", "name: device").replace("keys/sms", "keys/device")
        head = re.sub(r"control: .*", f"control: tcp://127.0.0.1:{port}", head.replace("state/sms", "state/device"))
        (self.home / "device.yaml").write_text(
            head + "drivers:\n  - {name: device, kind: null, config: drivers/device.yaml}\nstations:\n"
            f'  - {{id: "{station}", name: "Đài có nhật ký", medium: {medium}, driver: device, languages: [vi]}}\n')
        (self.home / "drivers/device.yaml").write_text(
            "log: device.log\n" + "".join(f"{name}: {value}\n" for name, value in settings.items()))
        with open(self.home / "keng.yaml", "a", encoding="utf-8") as keng:
            keng.write(f'  - {{name: device, control: "tcp://127.0.0.1:{port}", key: {key}}}\n')
        self.programs["device"] = [BIN / "nullsink"]
        for sink in ("loudspeaker", "broadcast"):  # nobody else serves it
            path = self.home / f"{sink}.yaml"
            path.write_text("".join(line for line in path.read_text().splitlines(True) if f'"{station}"' not in line))

    def device_log(self):
        """[(what, station, alert, playing, labelled)]"""
        path = self.home / "state/device/device.log"
        rows = []
        for line in path.read_text().splitlines() if path.exists() else []:
            _, what, station, identity, playing, *label = line.split(" ")
            rows.append((what, station, identity, int(playing), label == ["again"]))
        return rows

    def never_quiet(self, *sinks):
        """The hour at which the tests run must not decide."""
        for name in sinks:
            with open(self.home / f"{name}.yaml", "a", encoding="utf-8") as config:
                config.write('hours: {quiet: "00:00-00:00"}\n')

    def up(self, *sinks):
        self.start("router", *sinks)
        for sink in sinks:
            wait_until(lambda s=sink: self.log(s).count("router.up") >= 2, 30, what=f"{sink} reaching the router")
        return self

    def publish(self, text, *options, follow=True):
        """The alert's id; with follow, when all its first playings have ended."""
        done = self.send(text, *(["--follow"] if follow else []), *options)
        found = alert_id(done.stdout)
        if found is None:
            raise AssertionError(done.stdout + done.stderr)
        return found

    def outcome(self, alert, station, seconds=30):
        """The station's row once it is final."""
        final = ("done", "partial", "refused", "failed", "uncertain", "expired", "cancelled")

        def row():
            found = self.row(alert, station)
            return found if found.get("state") in final else None
        return wait_until(row, seconds, 0.2, what=f"an outcome at {station}")

    def row(self, alert, station):
        """The router's record of one target; cells are tab-separated for programs."""
        done = self.keng("ledger", alert)
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        return next((dict(zip(lines[0], cells)) for cells in lines[1:] if cells[0] == station), {})

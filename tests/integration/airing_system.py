"""A small Keng whose loudspeakers or radio are what a test says: System with one sink file rewritten.

Not a test file: test_loudspeaker.py and test_broadcast.py use it.
"""
import re

from system import System, alert_id, wait_until


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

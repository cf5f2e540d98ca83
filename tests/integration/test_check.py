#!/usr/bin/env python3
"""--check finds what would keep a process from serving, before anybody relies on it."""
import unittest

from system import System


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = System()
        cls.addClassCleanup(cls.system.close)

    def check(self, name, old=None, new=""):
        path = self.system.home / f"{name}.yaml"
        text = path.read_text()
        if old is not None:
            self.assertIn(old, text)
            path = self.system.home / f"{name}-altered.yaml"
            path.write_text(text.replace(old, new))
        return self.system.run(f"keng-{name}", "--config", path, "--check")

    def test_what_provision_wrote_is_fit(self):
        for name in ("router", "sms", "broadcast", "loudspeaker"):
            done = self.check(name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("fit for use", done.stdout)

    def test_what_would_not_serve_is_refused(self):
        cases = [
            ("router", "key: keys/router\n", "key: keys/sms\n", "key manifest"),
            ("router", "sign_key: keys/router-sign", "sign_key: keys/so-nnmt", "key manifest"),
            ("router", "state: ", "geometry: [no-such.geojson]\nstate: ", "no-such.geojson"),
            ("sms", "key: keys/sms", "key: keys/no-such", "no-such"),
            ("sms", "key: keys/sms", "key: keys/router", "key manifest"),
            ("sms", "manifest: keys.manifest", "manifest: no-such", "no-such"),
            ("loudspeaker", "kind: file", "kind: fil", "'fil'"),
        ]
        for name, old, new, said in cases:
            done = self.check(name, old, new)
            self.assertEqual(done.returncode, 1, f"{name}: {new}: {done.stdout}{done.stderr}")
            self.assertIn(said, done.stderr)

    def test_a_router_that_nobody_would_believe_does_not_start(self):
        path = self.system.home / "router-altered.yaml"
        text = (self.system.home / "router.yaml").read_text()
        path.write_text(text.replace("keys/router-sign", "keys/so-nnmt"))
        done = self.system.run("keng-router", "--config", path, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("sign_key", done.stderr)

    def test_a_mistyped_drop_folder_is_not_made(self):
        folder = self.system.dir / "drpo"
        done = self.system.run("keng-publisher", "watch", "--config", self.system.home / "publisher.yaml", folder,
                               timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no such folder", done.stderr)
        self.assertFalse(folder.exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)

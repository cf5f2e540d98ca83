#!/usr/bin/env python3
"""The agency's desk as an officer meets it: what `keng-publisher` says and does when the request is not the plain one."""
import unittest

from system import SOURCE, System, alert_id, short_form


class Desk(unittest.TestCase):
    def setUp(self):
        self.system = System(manual="86.29050.loa")
        self.addCleanup(self.system.close)
        self.system.start_all()
        self.system.wait_connected()

    def sent(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return alert_id(done.stdout)

    def test_an_ending_goes_to_what_is_alive(self):
        s = self.system
        first = self.sent(s.send(short_form()))
        second = self.sent(s.publisher("update", first, s.write("update.yaml", short_form(headline="Mặn 5 g/l"))))
        for verb in ("retract", "all-clear", "update"):
            more = [s.write("late.yaml", short_form())] if verb == "update" else []
            done = s.publisher(verb, first, *more)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(second, done.stdout, "the officer is told which alert is alive")
        retraction = self.sent(s.publisher("retract", second))
        again = s.publisher("retract", second)
        self.assertEqual(alert_id(again.stdout), retraction, "the same action twice is the same Cancel")
        done = s.publisher("all-clear", second)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(retraction, done.stdout)

    def test_a_wait_that_ends_says_what_is_missing(self):
        done = self.system.send(short_form(), "--follow", "--wait", "6")
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn("keng ledger " + alert_id(done.stdout), done.stdout)
        self.assertNotIn("tried again", done.stdout, "it was accepted; nothing is tried again")

    def test_a_refusal_has_a_sentence(self):
        path = self.system.dir / "wide.yaml"
        path.write_bytes(short_form().encode("utf-16"))
        done = self.system.publisher("send", path)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(all(line.split("refused:")[-1].strip() for line in done.stdout.splitlines()), done.stdout)

    def test_the_example_goes_out_as_a_drill(self):
        done = self.system.run("keng-publisher", "send", "--config", self.system.home / "publisher-drill.yaml",
                               SOURCE / "deploy/examples/ban-tin.yaml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("3 stations to reach", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)

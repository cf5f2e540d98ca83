#!/usr/bin/env python3
"""The agency's desk as an officer meets it: what `keng-publisher` says and does when the request is not the plain one."""
import os
import time
import unittest

from system import SOURCE, System, alert_id, short_form, wait_until, when


class Desk(unittest.TestCase):
    def setUp(self):
        self.system = System(manual="86.29050.loa")
        self.addCleanup(self.system.close)
        self.system.start_all()

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

    def restricted(self, name):
        """A warning that waits for a person: CAP of a restricted scope."""
        text = (SOURCE / "deploy/examples/vinh-long.cap.xml").read_text()
        for word, value in {"ID": name, "SENDER": "so-nnmt.vinh-long.example", "SENT": when(), "ONSET": when(),
                            "EXPIRES": when(hours=6), "NEXT": when(hours=3)}.items():
            text = text.replace(f"@{word}@", value)
        text = text.replace("<scope>Public</scope>", "<scope>Restricted</scope><restriction>cán bộ</restriction>")
        done = self.system.send(text)
        self.assertIn("held for a person", done.stdout)
        return self.sent(done)

    def state(self, alert):
        rows = [line.split("\t") for line in self.system.publisher("list").stdout.splitlines()]
        return next(row[3] for row in rows if row[0] == alert)

    def test_the_agency_hears_what_a_person_decided(self):
        self.system.start("publisher")
        wait_until(lambda: "publisher.ready" in self.system.log("publisher"), what="the publisher starting")
        refused, released = self.restricted("held-1"), self.restricted("held-2")
        self.assertEqual([self.state(refused), self.state(released)], ["held", "held"])
        self.assertEqual(self.system.keng("held", "refuse", refused, "sai đối tượng").returncode, 0)
        self.assertEqual(self.system.keng("held", "release", released, "đã hỏi Sở").returncode, 0)
        wait_until(lambda: self.state(refused) == "refused", 20, what="the refusal reaching the agency")
        wait_until(lambda: self.state(released) == "accepted", 20, what="the release reaching the agency")
        followed = self.system.publisher("follow", refused, "--wait", "5")
        self.assertNotEqual(followed.returncode, 0, followed.stdout)
        self.assertNotIn("all final", followed.stdout)

    def test_a_wait_that_ends_says_what_is_missing(self):
        done = self.system.send(short_form(), "--follow", "--wait", "6")
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn("keng ledger " + alert_id(done.stdout), done.stdout)
        self.assertNotIn("tried again", done.stdout, "it was accepted; nothing is tried again")

    def test_a_copy_of_a_file_is_the_same_alert(self):
        text = short_form(id=None, sent=None)
        first = self.sent(self.system.send(text, name="one.yaml"))
        os.utime(self.system.dir / "one.yaml", (time.time() - 60, time.time() - 60))
        self.assertEqual(self.sent(self.system.send(text, name="two.yaml")), first)
        self.assertEqual(self.sent(self.system.publisher("send", self.system.dir / "one.yaml")), first)
        self.assertNotEqual(self.sent(self.system.send(text + "note: khác\n", name="three.yaml")), first)

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

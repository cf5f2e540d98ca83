#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "airing/airing.h"
#include "base/clock.h"
#include "drivers.h"
#include "speech/wav.h"
#include "tests/unit/airing/host.h"

#ifdef __SANITIZE_ADDRESS__
/* GLib keeps its type registry until the process ends; the name is the sanitizer's. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libglib-2.0";
}
#endif

typedef struct room {
    host h;
    alert warning;
    sink_station speaker;
    char settings[64];
    int fd;         /* the speaker's ear */
    kg_buf payload; /* L16, network order, as it came */
    unsigned packets, lost;
    int last;
} room;

static void on_packet(void *ctx, int fd, unsigned events)
{
    room *r = ctx;
    unsigned char p[2048];
    (void)events;
    for (ssize_t n; (n = recv(fd, p, sizeof p, MSG_DONTWAIT)) > 0; r->packets++) {
        assert_true(n > 12);
        assert_int_equal(p[0], 0x80); /* RTP, no extension, no sources */
        assert_int_equal(p[1] & 0x7f, 96);
        const int sequence = p[2] << 8 | p[3];
        r->lost += r->last >= 0 && sequence != ((r->last + 1) & 0xffff);
        r->last = sequence;
        assert_int_equal(kg_buf_put(&r->payload, p + 12, (size_t)n - 12), KG_OK);
    }
}

static int set_up(void **state)
{
    room *r = calloc(1, sizeof *r);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    const int room_for = 4 * 1024 * 1024;
    *state = r;
    r->last = -1;
    if (host_open(&r->h) != 0) {
        return -1;
    }
    r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&at, n) != 0 ||
        getsockname(r->fd, (struct sockaddr *)&at, &n) != 0 ||
        setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &room_for, sizeof room_for) != 0 ||
        loop_watch(r->h.l, r->fd, LOOP_READ, on_packet, r) != KG_OK) {
        return -1;
    }
    (void)snprintf(r->settings, sizeof r->settings, "127.0.0.1:%u", ntohs(at.sin_port));
    r->speaker = (sink_station){.id = "86.29254.loa", .name = "Loa", .person = "", .settings = r->settings};
    host_alert(&r->warning, NULL);
    r->warning.bulletin_class = CLASS_ROUTINE; /* a short signal: these tests run at the pace of speech */
    r->warning.infos.items[0].speech = "Sơ tán ngay.";
    r->warning.infos.items[0].sender_name = "";
    return 0;
}

static int tear_down(void **state)
{
    room *r = *state;
    if (r->h.self != NULL) {
        r->h.driver->close(r->h.self);
    }
    loop_unwatch(r->h.l, r->fd);
    (void)close(r->fd);
    alert_done(&r->warning);
    kg_buf_done(&r->payload);
    const int rc = host_close(&r->h);
    free(r);
    return rc;
}

static void open_kind(room *r, const sink_driver *driver)
{
    char path[FOLDER_PATH + 64];
    kg_diag diag = {0};
    host_write(&r->h, "live.yaml", "speech: {rate: 250}\n", path);
    r->h.driver = driver;
    if (driver->open(host_sink(&r->h), "net", path, &r->h.self, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
}

static void what_is_received_is_what_was_ordered_bit_by_bit(void **state)
{
    room *r = *state;
    kg_buf ordered = {0};
    kg_diag diag = {0};
    open_kind(r, &rtp_driver);
    sink_job *j = host_job(&r->h, 0, &r->warning, &r->speaker);
    host_play(&r->h, j);
    host_wait(&r->h, 0, 1);
    assert_int_equal(wav_read(airing_sound_of(j)->wav, &ordered, &diag), KG_OK);
    const int64_t length = airing_sound_of(j)->length_ms, begun = kg_clock_mono_ms();
    host_wait(&r->h, 1, 1);
    assert_in_range(kg_clock_mono_ms() - begun, length - 300, length + 3000); /* at the pace of speech */
    host_run_ms(&r->h, 50);
    const host_told *t = &r->h.told[0];
    if (t->outcome.state != DLV_DONE) {
        fail_msg("%s", t->detail);
    }
    assert_int_equal(t->outcome.certainty, CERTAIN_PACKETS);
    assert_int_equal(r->lost, 0);
    assert_int_equal(r->payload.len, ordered.len);
    for (size_t i = 0; i < ordered.len; i += 2) { /* big-endian on the wire */
        if (r->payload.s[i] != ordered.s[i + 1] || r->payload.s[i + 1] != ordered.s[i]) {
            fail_msg("sample %zu differs", i / 2);
        }
    }
    assert_true(r->h.device_on);
    kg_buf_done(&ordered);
}

static void stopping_is_prompt_and_the_next_can_start_at_once(void **state)
{
    room *r = *state;
    open_kind(r, &rtp_driver);
    sink_job *j = host_job(&r->h, 0, &r->warning, &r->speaker);
    host_play(&r->h, j);
    host_wait(&r->h, 0, 1);
    host_run_ms(&r->h, 400);
    r->h.now_ms += 400;
    const int64_t asked = kg_clock_mono_ms();
    rtp_driver.stop(r->h.self, j);
    assert_true(kg_clock_mono_ms() - asked < 500);
    const host_told *t = &r->h.told[0];
    assert_int_equal(t->outcome.state, DLV_PARTIAL);
    assert_int_equal(t->outcome.ended_ms - t->outcome.started_ms, 400);
    host_run_ms(&r->h, 50);
    const unsigned before = r->packets;
    assert_in_range(before, 10, 100);
    host_run_ms(&r->h, 300);
    assert_int_equal(r->packets, before); /* silence */
    r->last = -1;
    host_play(&r->h, host_job(&r->h, 1, &r->warning, &r->speaker));
    host_wait(&r->h, 2, 2);
    assert_int_equal(r->h.told[1].outcome.state, DLV_DONE);
}

/* In a network of its own, without a route: every packet is refused. */
static void a_network_that_takes_nothing_is_no_success(void **state)
{
    room *r = *state;
    const int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    open_kind(r, &rtp_driver);
    r->speaker.settings = "10.1.2.3:5004";
    if (unshare(CLONE_NEWNET) != 0) {
        print_message("skipped: no right to make a network namespace\n");
        (void)close(home);
        skip();
    }
    host_play(&r->h, host_job(&r->h, 0, &r->warning, &r->speaker));
    host_wait(&r->h, 1, 0);
    assert_int_equal(setns(home, CLONE_NEWNET), 0);
    assert_int_equal(close(home), 0);
    assert_int_equal(r->h.told[0].outcome.state, DLV_PENDING);
    assert_string_equal(r->h.told[0].code, "network-down");
    assert_false(r->h.device_on);
}

static void a_missing_interface_is_found_out(void **state)
{
    room *r = *state;
    open_kind(r, &rtp_driver);
    r->speaker.settings = "239.1.2.3:5004@keng-none";
    host_play(&r->h, host_job(&r->h, 0, &r->warning, &r->speaker));
    host_wait(&r->h, 1, 0);
    assert_int_equal(r->h.told[0].outcome.state, DLV_PENDING);
    assert_string_equal(r->h.told[0].code, "not-started");
    assert_non_null(strstr(r->h.told[0].detail, "keng-none"));
}

static void a_sound_card_is_paced_by_itself(void **state)
{
    room *r = *state;
    open_kind(r, &alsa_driver);
    r->speaker.settings = "null"; /* ALSA's own: takes everything */
    host_play(&r->h, host_job(&r->h, 0, &r->warning, &r->speaker));
    host_wait(&r->h, 1, 0);
    if (r->h.told[0].outcome.state != DLV_DONE) {
        fail_msg("%s", r->h.told[0].detail);
    }
    assert_int_equal(r->h.told[0].outcome.certainty, CERTAIN_FINISHED);
    r->speaker.settings = "keng_no_such_card";
    host_play(&r->h, host_job(&r->h, 1, &r->warning, &r->speaker));
    host_wait(&r->h, 2, 0);
    assert_int_equal(r->h.told[1].outcome.state, DLV_PENDING); /* nothing was heard: it is tried again */
    assert_string_equal(r->h.told[1].code, "not-started");
}

static void a_self_test_sends_a_signal(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    open_kind(r, &rtp_driver);
    assert_int_equal(rtp_driver.test(r->h.self, &r->speaker, &diag), KG_OK);
    host_wait_tested(&r->h);
    assert_true(r->h.tested_good);
    host_run_ms(&r->h, 50);
    assert_int_equal(r->payload.len, 2 * 400 * 48 * 2); /* two tones of 400 ms */
}

static void settings_are_judged_when_a_station_is_added(void **state)
{
    room *r = *state;
    static const struct {
        const char *settings;
        kg_err want;
    } rows[] = {
        {"239.1.2.3:5004", KG_OK},
        {"10.0.0.7:65535@eth1", KG_OK},
        {"[ff15::1]:5004", KG_OK},
        {"[ff15::1]:5004@eth0", KG_OK},
        {"", KG_E_INVALID},
        {"239.1.2.3", KG_E_INVALID},
        {"239.1.2.3:", KG_E_INVALID},
        {"239.1.2.3:0", KG_E_INVALID},
        {"239.1.2.3:65536", KG_E_INVALID},
        {"239.1.2.3:50x", KG_E_INVALID},
        {"239.1.2.3:5004@", KG_E_INVALID},
        {"239.1.2.3:5004@an-interface-name-far-longer-than-any-kernel-would-ever-take-in", KG_E_INVALID},
        {"horn.example:5004", KG_E_INVALID}, /* names can fail on the worst day */
        {"ff15::1:5004", KG_E_INVALID},
        {"239.1.2.3 ! filesink location=/etc/passwd:5004", KG_E_INVALID},
    };
    open_kind(r, &rtp_driver);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {0};
        r->speaker.settings = rows[i].settings;
        if (rtp_driver.add(r->h.self, &r->speaker, &diag) != rows[i].want) {
            fail_msg("\"%s\": %s", rows[i].settings, diag.text);
        }
    }
}

static void closing_forgets_what_plays(void **state)
{
    room *r = *state;
    open_kind(r, &rtp_driver);
    host_play(&r->h, host_job(&r->h, 0, &r->warning, &r->speaker));
    host_wait(&r->h, 0, 1);
    host_run_ms(&r->h, 100);
    rtp_driver.close(r->h.self);
    r->h.self = NULL;
    assert_false(r->h.told[0].finished);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_received_is_what_was_ordered_bit_by_bit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopping_is_prompt_and_the_next_can_start_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_network_that_takes_nothing_is_no_success, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_interface_is_found_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sound_card_is_paced_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_self_test_sends_a_signal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(settings_are_judged_when_a_station_is_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_forgets_what_plays, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The Liquidsoap driver against a playout that lies, stutters and forgets: a small HTTP server of the test's own that
 * answers as it is told. What a real one does is tests/integration/test_broadcast.py's. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers.h"
#include "tests/unit/airing/host.h"

static const sink_station STATION = {
    .id = "86.radio", .name = "Phát thanh Vĩnh Long", .person = "", .medium = MEDIUM_RADIO, .settings = ""};

enum { REQUEST_MAX = 4096, SCRIPT_MAX = 12 };

/* What is answered to the n-th request; %s in the body is the order's id. NULL body: the line is cut. */
typedef struct reply {
    int status;
    const char *body;
} reply;

#define SAYS(state, started, ended, boot)                                                                              \
    "{\"id\":\"%s\",\"state\":\"" state "\",\"started\":" started ",\"ended\":" ended ",\"boot\":\"" boot "\"}"
static const char UNKNOWN[] = SAYS("", "0", "0", "1"), QUEUED[] = SAYS("queued", "0", "0", "1"),
                  ON_AIR[] = SAYS("on_air", "1795323600", "0", "1"),
                  DONE[] = SAYS("done", "1795323600", "1795323660", "1"),
                  SHORT[] = SAYS("done", "1795323600", "1795323601", "1"),
                  CUT[] = SAYS("cut", "1795323600", "1795323602", "1"), REMOVED[] = SAYS("removed", "0", "0", "1"),
                  UNKNOWN_2[] = SAYS("", "0", "0", "2"), QUEUED_2[] = SAYS("queued", "0", "0", "2"),
                  DONE_2[] = SAYS("done", "1795323600", "1795323660", "2");

typedef struct room {
    host h;
    alert warning;
    int listener, port;
    const reply *script; /* the last one is repeated */
    size_t steps;
    size_t asked; /* requests about orders; the driver's hello is not counted */
    char asked_for[SCRIPT_MAX][16];
    char request[REQUEST_MAX];
    char first_body[REQUEST_MAX];
    int64_t skip_ms; /* the clock goes on by so much with each request */
} room;

static void answer(room *r, int fd, const char *body)
{
    char id[256] = "", text[1024], out[2048];
    const char *at = strstr(body, "\"id\": \"");
    const reply hello = {404, UNKNOWN};
    (void)sscanf(at != NULL ? at + 7 : "", "%255[^\"]", id);
    const reply *a = &hello;
    if (strcmp(id, "keng-self-test") != 0) {
        a = &r->script[r->asked < r->steps ? r->asked : r->steps - 1];
        if (r->asked < SCRIPT_MAX) {
            (void)sscanf(r->request, "POST /keng/%15[a-z]", r->asked_for[r->asked]);
        }
        if (r->asked == 0) {
            (void)snprintf(r->first_body, sizeof r->first_body, "%s", body);
        }
        r->asked++;
        r->h.now_ms += r->skip_ms;
    }
    if (a->body == NULL) {
        return; /* hangs up */
    }
    const char *mark = strstr(a->body, "%s");
    if (mark != NULL) {
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(mark - a->body), a->body, id, mark + 2);
    } else {
        (void)snprintf(text, sizeof text, "%s", a->body);
    }
    const int n = snprintf(out, sizeof out, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                           a->status, strlen(text), text);
    assert_int_equal(write(fd, out, (size_t)n), n);
}

static void on_client(void *ctx, int fd, unsigned events)
{
    room *r = ctx;
    (void)events;
    const size_t have = strlen(r->request);
    const ssize_t n = read(fd, r->request + have, sizeof r->request - 1 - have);
    r->request[have + (n > 0 ? (size_t)n : 0)] = '\0';
    const char *body = strstr(r->request, "\r\n\r\n");
    const char *length = strstr(r->request, "Content-Length: ");
    if (n > 0 && (body == NULL || length == NULL || strlen(body + 4) < strtoul(length + 16, NULL, 10))) {
        return;
    }
    if (n > 0) {
        answer(r, fd, body + 4);
    }
    r->request[0] = '\0';
    loop_unwatch(r->h.l, fd);
    (void)close(fd);
}

static void on_connect(void *ctx, int fd, unsigned events)
{
    room *r = ctx;
    (void)events;
    const int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(client >= 0);
    assert_int_equal(loop_watch(r->h.l, client, LOOP_READ, on_client, r), KG_OK);
}

static void open_driver(room *r)
{
    char path[FOLDER_PATH + 64], yaml[256];
    kg_diag diag = {0};
    host_write(&r->h, "token", "secret\n", path);
    assert_int_equal(chmod(path, 0600), 0);
    (void)snprintf(yaml, sizeof yaml, "url: http://127.0.0.1:%d\ntoken_file: token\nfolder: sounds\npoll_ms: 50\n",
                   r->port);
    host_write(&r->h, "air.yaml", yaml, path);
    if (liquidsoap_driver.open(host_sink(&r->h), "air", path, &r->h.self, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
}

static int set_up(void **state)
{
    room *r = calloc(1, sizeof *r);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    *state = r;
    if (host_open(&r->h) != 0) {
        return -1;
    }
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(r->listener, (struct sockaddr *)&at, n) != 0 || listen(r->listener, 16) != 0 ||
        getsockname(r->listener, (struct sockaddr *)&at, &n) != 0 ||
        loop_watch(r->h.l, r->listener, LOOP_READ, on_connect, r) != KG_OK) {
        return -1;
    }
    r->port = ntohs(at.sin_port);
    host_alert(&r->warning, NULL);
    r->h.driver = &liquidsoap_driver;
    open_driver(r);
    return 0;
}

static int tear_down(void **state)
{
    room *r = *state;
    liquidsoap_driver.close(r->h.self);
    loop_unwatch(r->h.l, r->listener);
    (void)close(r->listener);
    alert_done(&r->warning);
    const int rc = host_close(&r->h);
    free(r);
    return rc;
}

typedef struct scene {
    const char *label;
    reply script[SCRIPT_MAX];
    policy_mode mode;
    dlv_state want;
    dlv_certainty certainty;
    const char *code;
    bool again;
    const char *asked; /* the calls, in order, as far as they are told */
    int64_t skip_ms;
} scene;

static size_t steps_of(const scene *s)
{
    size_t n = 0;
    while (n < SCRIPT_MAX && (s->script[n].status != 0 || s->script[n].body != NULL)) {
        n++;
    }
    return n;
}

static void judge(const room *r, const scene *s, unsigned job)
{
    const host_told *t = &r->h.told[job];
    char asked[256] = "";
    for (size_t i = 0; i < r->asked && i < SCRIPT_MAX; i++) {
        const size_t n = strlen(asked);
        (void)snprintf(asked + n, sizeof asked - n, "%s%s", n > 0 ? " " : "", r->asked_for[i]);
    }
    if (t->outcome.state != s->want || t->outcome.certainty != s->certainty || strcmp(t->code, s->code) != 0 ||
        t->outcome.again != s->again || strncmp(asked, s->asked, strlen(s->asked)) != 0) {
        fail_msg("%s: %s, %s, \"%s\", again %d, after: %s", s->label, dlv_state_text(t->outcome.state),
                 dlv_certainty_text(t->outcome.certainty), t->code, t->outcome.again, asked);
    }
}

static void perform(room *r, const scene *s, unsigned n)
{
    r->script = s->script;
    r->steps = steps_of(s);
    r->asked = 0;
    r->skip_ms = s->skip_ms;
    sink_job *j = host_job(&r->h, n, &r->warning, &STATION);
    j->mode = s->mode;
    j->playing = n;
    host_play(&r->h, j);
    host_wait(&r->h, n + 1, n + 1);
    judge(r, s, n);
}

static void whatever_the_playout_says_has_one_meaning(void **state)
{
    room *r = *state;
    static const scene scenes[] = {
        {"aired",
         {{202, QUEUED}, {200, ON_AIR}, {200, DONE}},
         MODE_INTERRUPT,
         DLV_DONE,
         CERTAIN_FINISHED,
         "",
         false,
         "play status status",
         0},
        {"told twice",
         {{200, ON_AIR}, {200, DONE}},
         MODE_INTERRUPT,
         DLV_DONE,
         CERTAIN_FINISHED,
         "",
         false,
         "play status",
         0},
        {"ended early",
         {{202, QUEUED}, {200, SHORT}},
         MODE_INTERRUPT,
         DLV_PARTIAL,
         CERTAIN_FINISHED,
         "cut-short",
         false,
         "play status",
         0},
        {"cut by the station",
         {{202, QUEUED}, {200, CUT}},
         MODE_INTERRUPT,
         DLV_PARTIAL,
         CERTAIN_FINISHED,
         "cut-by-station",
         false,
         "play status",
         0},
        {"taken out of the queue",
         {{202, QUEUED}, {200, REMOVED}},
         MODE_NEXT,
         DLV_PENDING,
         CERTAIN_NONE,
         "removed",
         false,
         "play status",
         0},
        {"unreadable",
         {{422, "{\"error\":\"x\"}"}},
         MODE_INTERRUPT,
         DLV_FAILED,
         CERTAIN_NONE,
         "sound-unreadable",
         false,
         "play",
         0},
        {"denied", {{401, "{}"}}, MODE_INTERRUPT, DLV_PENDING, CERTAIN_NONE, "playout-denied", false, "play", 0},
        {"broken", {{500, "oops"}}, MODE_INTERRUPT, DLV_PENDING, CERTAIN_NONE, "playout-failed", false, "play", 0},
        {"no such door",
         {{404, "not here"}},
         MODE_INTERRUPT,
         DLV_PENDING,
         CERTAIN_NONE,
         "playout-failed",
         false,
         "play",
         0},
        {"hangs up, had not taken it",
         {{-1, NULL}, {404, UNKNOWN}, {202, QUEUED}, {200, DONE}},
         MODE_NEXT,
         DLV_DONE,
         CERTAIN_FINISHED,
         "",
         false,
         "play",
         0},
        {"taken, answers with rubbish for a while",
         {{202, QUEUED}, {200, "<html>"}, {200, "{}"}, {502, "x"}, {200, DONE}},
         MODE_INTERRUPT,
         DLV_DONE,
         CERTAIN_FINISHED,
         "",
         false,
         "play status status status status",
         0},
        {"says yes in rubbish, then makes sense",
         {{200, "yes"}, {200, ON_AIR}, {200, DONE}},
         MODE_INTERRUPT,
         DLV_DONE,
         CERTAIN_FINISHED,
         "",
         false,
         "play status status",
         0},
        {"restarts while it was on the air",
         {{202, QUEUED}, {200, ON_AIR}, {404, UNKNOWN_2}},
         MODE_INTERRUPT,
         DLV_UNCERTAIN,
         CERTAIN_STARTED,
         "playout-restarted",
         true,
         "play status status",
         0},
        {"restarts before it was seen on the air, but it cuts in at once",
         {{202, QUEUED}, {404, UNKNOWN_2}},
         MODE_INTERRUPT,
         DLV_UNCERTAIN,
         CERTAIN_ACCEPTED,
         "playout-restarted",
         true,
         "play status",
         0},
        {"restarts while it waited",
         {{202, QUEUED}, {404, UNKNOWN_2}, {202, QUEUED_2}, {200, DONE_2}},
         MODE_NEXT,
         DLV_DONE,
         CERTAIN_FINISHED,
         "",
         false,
         "play status play status",
         0},
        {"silent for good",
         {{202, QUEUED}, {503, "x"}},
         MODE_INTERRUPT,
         DLV_UNCERTAIN,
         CERTAIN_ACCEPTED,
         "playout-silent",
         true,
         "play status status",
         20 * 1000},
    };
    for (unsigned i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        perform(r, &scenes[i], i);
    }
}

static void the_order_names_sound_mode_and_title(void **state)
{
    room *r = *state;
    static const scene aired = {
        "aired", {{202, QUEUED}, {200, DONE}}, MODE_NEXT, DLV_DONE, CERTAIN_FINISHED, "", false, "", 0};
    char wanted[FOLDER_PATH + 128];
    perform(r, &aired, 0);
    (void)snprintf(wanted, sizeof wanted, "%s/sounds/86.radio.%s-0.wav", r->h.dir, r->h.jobs[0].id_text);
    assert_non_null(strstr(r->first_body, wanted));
    assert_int_not_equal(access(wanted, F_OK), 0); /* removed when it was aired */
    assert_non_null(strstr(r->first_body, "\"mode\": \"next\""));
    assert_non_null(strstr(r->first_body, "Lũ quét tại xã Cái Nhum"));
    (void)snprintf(wanted, sizeof wanted, "86.radio.%s-0 1", r->h.jobs[0].id_text);
    assert_string_equal(r->h.told[0].ref, wanted); /* noted before it was told, with the run that was known */
}

static void stopping(void **state)
{
    room *r = *state;
    static const scene scenes[] = {
        {"on the air",
         {{202, QUEUED}, {200, CUT}},
         MODE_INTERRUPT,
         DLV_PARTIAL,
         CERTAIN_FINISHED,
         "interrupted",
         false,
         "play stop",
         0},
        {"in the queue",
         {{202, QUEUED}, {200, REMOVED}},
         MODE_NEXT,
         DLV_PENDING,
         CERTAIN_NONE,
         "removed",
         false,
         "play stop",
         0},
        {"over already",
         {{202, QUEUED}, {200, DONE}},
         MODE_INTERRUPT,
         DLV_DONE,
         CERTAIN_FINISHED,
         "",
         false,
         "play stop",
         0},
        {"never taken",
         {{-1, NULL}, {404, UNKNOWN}},
         MODE_NEXT,
         DLV_PENDING,
         CERTAIN_NONE,
         "not-aired",
         false,
         "play stop",
         0},
        {"no answer",
         {{202, QUEUED}, {-1, NULL}},
         MODE_INTERRUPT,
         DLV_UNCERTAIN,
         CERTAIN_ACCEPTED,
         "playout-silent",
         true,
         "play stop stop",
         2000},
    };
    for (unsigned i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        const scene *s = &scenes[i];
        r->script = s->script;
        r->steps = steps_of(s);
        r->asked = 0;
        r->skip_ms = s->skip_ms;
        sink_job *j = host_job(&r->h, i, &r->warning, &STATION);
        j->mode = s->mode;
        j->playing = i;
        host_play(&r->h, j);
        host_wait(&r->h, i, i + 1);
        liquidsoap_driver.stop(r->h.self, j); /* while the first call is under way */
        host_wait(&r->h, i + 1, i + 1);
        judge(r, s, i);
    }
}

static void after_a_crash_the_playout_is_asked(void **state)
{
    room *r = *state;
    static const struct {
        scene s;
        const char *ref;
    } rows[] = {
        {{"still on the air",
          {{200, ON_AIR}, {200, DONE}},
          MODE_INTERRUPT,
          DLV_DONE,
          CERTAIN_FINISHED,
          "",
          false,
          "status status",
          0},
         "x 1"},
        {{"aired meanwhile", {{200, DONE}}, MODE_INTERRUPT, DLV_DONE, CERTAIN_FINISHED, "", false, "status", 0}, "x 1"},
        {{"the same run was never told",
          {{404, UNKNOWN}},
          MODE_INTERRUPT,
          DLV_PENDING,
          CERTAIN_NONE,
          "not-aired",
          false,
          "status",
          0},
         "x 1"},
        {{"another run knows nothing",
          {{404, UNKNOWN_2}},
          MODE_INTERRUPT,
          DLV_UNCERTAIN,
          CERTAIN_NONE,
          "playout-restarted",
          true,
          "status",
          0},
         "x 1"},
        {{"no run was known then",
          {{404, UNKNOWN}},
          MODE_INTERRUPT,
          DLV_UNCERTAIN,
          CERTAIN_NONE,
          "playout-restarted",
          true,
          "status",
          0},
         "x -"},
        {{"nothing was noted", {{404, UNKNOWN}}, MODE_INTERRUPT, DLV_PENDING, CERTAIN_NONE, "not-aired", false, "", 0},
         ""},
        {{"nobody answers",
          {{-1, NULL}},
          MODE_INTERRUPT,
          DLV_UNCERTAIN,
          CERTAIN_NONE,
          "playout-silent",
          true,
          "status status",
          20 * 1000},
         "x 1"},
    };
    host_run_ms(&r->h, 100); /* the driver's hello */
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_diag diag = {0};
        r->script = rows[i].s.script;
        r->steps = steps_of(&rows[i].s);
        r->asked = 0;
        r->skip_ms = rows[i].s.skip_ms;
        sink_job *j = host_job(&r->h, i, &r->warning, &STATION);
        j->mode = rows[i].s.mode;
        assert_int_equal(liquidsoap_driver.ask(r->h.self, j, rows[i].ref, &diag), KG_OK);
        host_wait(&r->h, i + 1, 0);
        judge(r, &rows[i].s, i);
    }
}

static void a_second_playing_has_a_name_of_its_own(void **state)
{
    room *r = *state;
    static const scene aired = {
        "aired", {{202, QUEUED}, {200, DONE}}, MODE_NEXT, DLV_DONE, CERTAIN_FINISHED, "", false, "", 0};
    r->script = aired.script;
    r->steps = 2;
    sink_job *j = host_job(&r->h, 0, &r->warning, &STATION);
    j->labelled = true;
    j->attempt = 2;
    host_play(&r->h, j);
    host_wait(&r->h, 1, 1);
    assert_non_null(strstr(r->first_body, "-0-r-a2\""));
}

static void a_self_test_asks_the_playout(void **state)
{
    room *r = *state;
    kg_diag diag = {0};
    assert_int_equal(liquidsoap_driver.test(r->h.self, &STATION, &diag), KG_OK);
    host_wait_tested(&r->h);
    assert_true(r->h.tested_good && r->h.device_on);
}

static void a_bad_file_is_refused(void **state)
{
    room *r = *state;
    static const struct {
        const char *yaml, *says;
    } rows[] = {
        {"url: http://192.0.2.1:8301\ntoken_file: token\nfolder: sounds\n", "url"},
        {"url: ftp://127.0.0.1\ntoken_file: token\nfolder: sounds\n", "url"},
        {"url: http://127.0.0.1:1\ntoken_file: none\nfolder: sounds\n", "none"},
        {"url: http://127.0.0.1:1\ntoken_file: open\nfolder: sounds\n", "open"},
        {"url: http://127.0.0.1:1\ntoken_file: empty\nfolder: sounds\n", "no token"},
        {"url: http://127.0.0.1:1\ntoken_file: token\nfolder: sounds\npoll_ms: 1\n", "poll_ms"},
        {"url: http://127.0.0.1:1\ntoken_file: token\n", "folder"},
    };
    char path[FOLDER_PATH + 64];
    host_write(&r->h, "open", "secret\n", path); /* everybody may read it */
    assert_int_equal(chmod(path, 0644), 0);
    host_write(&r->h, "empty", "\n", path);
    assert_int_equal(chmod(path, 0600), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        void *self = NULL;
        kg_diag diag = {0};
        host_write(&r->h, "bad.yaml", rows[i].yaml, path);
        const kg_err e = liquidsoap_driver.open(host_sink(&r->h), "air", path, &self, &diag);
        if (e == KG_OK || strstr(diag.text, rows[i].says) == NULL) {
            fail_msg("%s: %s \"%s\"", rows[i].yaml, kg_err_name(e), diag.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_the_playout_says_has_one_meaning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_order_names_sound_mode_and_title, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopping, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_a_crash_the_playout_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_playing_has_a_name_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_self_test_asks_the_playout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_file_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

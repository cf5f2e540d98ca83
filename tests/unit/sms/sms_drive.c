/*
 * sms_drive - one SMS driver against a real peer, without router or engine; for tests/integration/test_sms_*.py.
 *
 *   sms_drive KIND CONFIG STATE [key=value ...]
 *
 * Keys      id sent(ms) now(ms) ends(ms) class status kind headline instruction sms accented km sender communes playing
 *           labelled ask(REF: the driver is asked instead of started) linger(ms to go on after the outcome).
 * Prints    prepared | ref R | progress SENT REACHED | finished STATE CERTAINTY CODE SENT REACHED<tab>DETAIL
 * Reads     lines from standard input: "stop", "confirm yes|no WHO NOTE". Ends with the job, by exit status 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "drivers/drivers.h"

struct sink {
    loop *loop;
    const char *state;
    int64_t now_shift_ms;
    const sink_driver *driver;
    void *self;
    sink_job job;
    bool start, over;
    loop_timer *linger; /* NULL: ends with the outcome */
    int64_t linger_ms;
};

static const char *option(int argc, char **argv, const char *name, const char *standard)
{
    const size_t n = strlen(name);
    for (int i = 4; i < argc; i++) {
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') {
            return argv[i] + n + 1;
        }
    }
    return standard;
}

/* ---- what drivers call ---- */

loop *sink_loop(sink *s)
{
    return s->loop;
}

const char *sink_state_dir(const sink *s)
{
    return s->state;
}

int64_t sink_now_ms(const sink *s)
{
    return kg_clock_wall_ms() + s->now_shift_ms;
}

static void ended_by_error(sink *s, kg_err e, const kg_diag *diag)
{
    printf("error %s\t%s\n", kg_err_name(e), diag->text);
    s->over = true;
    loop_quit(s->loop);
}

void sink_prepared(sink *s, sink_job *job)
{
    kg_diag diag = {{0}};
    printf("prepared\n");
    (void)fflush(stdout);
    if (s->start) {
        const kg_err e = s->driver->start(s->self, job, &diag);
        if (e != KG_OK) {
            ended_by_error(s, e, &diag);
        }
    }
}

kg_err sink_note_ref(sink *s, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    (void)s;
    (void)job;
    (void)diag;
    printf("ref %s\n", driver_ref);
    (void)fflush(stdout);
    return KG_OK;
}

void sink_progress(sink *s, sink_job *job, uint64_t sent, uint64_t reached)
{
    (void)s;
    (void)job;
    printf("progress %llu %llu\n", (unsigned long long)sent, (unsigned long long)reached);
    (void)fflush(stdout);
}

void sink_finish(sink *s, sink_job *job, const sink_outcome *o)
{
    if (s->over || job->driver_data != NULL) {
        printf("broken: finished twice, or the driver kept its data\n");
        (void)fflush(stdout);
        abort();
    }
    printf("finished %s %s %s %llu %llu\t%s\n", dlv_state_text(o->state), dlv_certainty_text(o->certainty),
           o->code != NULL && o->code[0] != '\0' ? o->code : "-", (unsigned long long)o->sent,
           (unsigned long long)o->reached, o->detail != NULL ? o->detail : "");
    (void)fflush(stdout);
    s->over = true;
    if (s->linger != NULL) {
        loop_timer_set(s->linger, s->linger_ms);
    } else {
        loop_quit(s->loop);
    }
}

/* ---- the job ---- */

static alert_info info_of(const char *language)
{
    return (alert_info){.language = language,
                        .event = "Xâm nhập mặn",
                        .audience = "",
                        .sender_name = "Sở NN&MT Vĩnh Long",
                        .headline = "",
                        .description = "",
                        .instruction = "",
                        .web = "",
                        .contact = "",
                        .sms = "",
                        .sms_accented = "",
                        .speech = "",
                        .crawl = ""};
}

static void make_alert(alert *a, int argc, char **argv)
{
    alert_init(a);
    a->identifier = option(argc, argv, "id", "VN-86-1");
    a->sender = "pctt@vinhlong.example.vn";
    a->sent_ms = strtoll(option(argc, argv, "sent", "1795356300000"), NULL, 10);
    a->agency = "so-nnmt-vinh-long";
    a->status = (cap_status)cap_status_read(option(argc, argv, "status", "Actual"));
    a->msg_type = (cap_msg_type)cap_msg_type_read(option(argc, argv, "kind", "Alert"));
    a->bulletin_class = (bulletin_class)bulletin_class_read(option(argc, argv, "class", "urgent"));
    a->infos.items = kg_arena_array(&a->mem, 2, sizeof(alert_info));
    if (a->infos.items == NULL) {
        abort();
    }
    alert_info *vi = &a->infos.items[a->infos.count++];
    *vi = info_of("vi-VN");
    vi->headline = option(argc, argv, "headline", "Mặn 4 g/l sông Cổ Chiên");
    vi->instruction = option(argc, argv, "instruction", "Đóng cống, trữ nước ngọt.");
    vi->sms = option(argc, argv, "sms", "");
    vi->sms_accented = option(argc, argv, "accented", "");
    if (option(argc, argv, "km", NULL) != NULL) {
        alert_info *km = &a->infos.items[a->infos.count++];
        *km = info_of("km");
        km->sms_accented = option(argc, argv, "km", "");
        km->headline = km->sms_accented;
    }
}

static const char **split(alert *a, const char *list, size_t *count)
{
    const char **items = kg_arena_array(&a->mem, 256, sizeof *items);
    while (items != NULL && *list != '\0' && *count < 256) {
        const size_t n = strcspn(list, ",");
        items[(*count)++] = kg_arena_strn(&a->mem, list, n);
        list += n + (list[n] == ',' ? 1 : 0);
    }
    return items;
}

static void make_job(sink *s, alert *a, const sink_station *at, int argc, char **argv)
{
    sink_job *j = &s->job;
    *j = (sink_job){.number = 1, .alert = a, .station = at, .mode = MODE_NEXT, .rule = "media.sms.urgent"};
    j->basis = "QĐ 18/2021/QĐ-TTg";
    j->id = alert_own_id(a);
    alert_id_text(j->id, j->id_text);
    j->playing = (unsigned)strtoul(option(argc, argv, "playing", "0"), NULL, 10);
    j->labelled = option(argc, argv, "labelled", NULL) != NULL;
    j->ends_ms = strtoll(option(argc, argv, "ends", "1795370400000"), NULL, 10);
    j->languages.items = split(a, option(argc, argv, "languages", "vi,km"), &j->languages.count);
    j->communes.items = split(a, option(argc, argv, "communes", "29257,29254"), &j->communes.count);
}

/* ---- standard input ---- */

static void on_line(sink *s, char *line)
{
    kg_diag diag = {{0}};
    if (strcmp(line, "stop") == 0) {
        s->driver->stop(s->self, &s->job);
    } else if (strncmp(line, "confirm ", 8) == 0 && s->driver->confirm != NULL) {
        const bool done = strncmp(line + 8, "yes ", 4) == 0;
        char *who = line + (done ? 12 : 11);
        char *note = strchr(who, ' ');
        if (note != NULL) {
            *note++ = '\0';
        }
        if (s->driver->confirm(s->self, &s->job, done, who, note != NULL ? note : "", &diag) != KG_OK) {
            printf("not confirmed\t%s\n", diag.text);
            (void)fflush(stdout);
        }
    }
}

static void on_input(void *ctx, int fd, unsigned events)
{
    sink *s = ctx;
    char text[512];
    const ssize_t n = read(fd, text, sizeof text - 1);
    (void)events;
    if (n <= 0) {
        loop_unwatch(s->loop, fd);
        return;
    }
    text[n] = '\0';
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && !s->over; line = strtok_r(NULL, "\n", &rest)) {
        on_line(s, line);
    }
}

static void on_stop(void *ctx)
{
    sink *s = ctx;
    loop_quit(s->loop);
}

static kg_err set_linger(sink *s, const char *ms)
{
    if (ms == NULL) {
        return KG_OK;
    }
    s->linger_ms = strtoll(ms, NULL, 10);
    return loop_timer_new(s->loop, on_stop, s, &s->linger);
}

static kg_err begin(sink *s, const char *ask, kg_diag *diag)
{
    if (ask != NULL) {
        return s->driver->ask(s->self, &s->job, ask, diag);
    }
    return s->driver->prepare(s->self, &s->job, diag);
}

int main(int argc, char **argv)
{
    static const sink_driver *const drivers[] = {&operator_driver, &mail_driver, &kannel_driver, &spool_driver};
    const sink_station at = {.id = "86.sms", .name = "SMS", .person = "", .settings = ""};
    sink s = {.start = true};
    alert a;
    kg_diag diag = {{0}};
    if (argc < 4) {
        return 64;
    }
    kg_log_open("sms_drive", KG_DEBUG);
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++) {
        s.driver = strcmp(drivers[i]->kind, argv[1]) == 0 ? drivers[i] : s.driver;
    }
    s.state = argv[3];
    /* The driver's clock starts a minute after the alert was sent, whatever the day. */
    make_alert(&a, argc, argv);
    s.now_shift_ms = strtoll(option(argc, argv, "now", "1795356360000"), NULL, 10) - kg_clock_wall_ms();
    make_job(&s, &a, &at, argc, argv);
    kg_err e = s.driver != NULL ? loop_new(&s.loop, &diag) : KG_E_NOTFOUND;
    if (e == KG_OK) {
        e = s.driver->open(&s, "one", argv[2], &s.self, &diag);
    }
    if (e == KG_OK) {
        printf("open\n");
        (void)fflush(stdout);
        loop_on_stop(s.loop, on_stop, &s);
        e = loop_watch(s.loop, 0, LOOP_READ, on_input, &s);
    }
    if (e == KG_OK) {
        e = set_linger(&s, option(argc, argv, "linger", NULL));
    }
    if (e == KG_OK) {
        e = begin(&s, option(argc, argv, "ask", NULL), &diag);
    }
    if (e == KG_OK && (!s.over || s.linger != NULL)) {
        e = loop_run(s.loop, &diag);
    }
    if (e != KG_OK) {
        printf("error %s\t%s\n", kg_err_name(e), diag.text);
    }
    if (s.self != NULL) {
        s.driver->close(s.self);
    }
    loop_timer_free(&s.linger);
    loop_free(&s.loop);
    alert_done(&a);
    return e == KG_OK ? 0 : 1;
}

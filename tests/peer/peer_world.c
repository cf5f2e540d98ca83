#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "peer_own.h"
#include "trust/manifest.h"

static const char *const key_names[PEER_WHO_COUNT] = {"health",    "health-2", "police", "commune", "drill",
                                                      "revoked",   "stranger", "root",   "router",  "router-sign",
                                                      "publisher", "sink",     "sink-2", "operator"};

static key_use use_of(peer_who who)
{
    return who == PEER_DRILL                             ? KEY_SIGN_DRILL
           : who == PEER_ROUTER || who >= PEER_PUBLISHER ? KEY_CONNECT
                                                         : KEY_SIGN_ACTUAL;
}

int64_t peer_now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void peer_die(const peer_world *w, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fprintf(stderr, "\n");
    if (w != NULL) {
        char path[PEER_PATH];
        kg_buf log = {0};
        (void)snprintf(path, sizeof path, "%s/router.log", w->dir);
        if (kg_file_read(path, KG_BUF_MAX, &log, NULL) == KG_OK && log.len > 0) {
            (void)fprintf(stderr, "--- router.log\n%s\n", log.len > 4000 ? log.s + log.len - 4000 : log.s);
        }
        kg_buf_done(&log);
    }
    abort();
}

void *peer_alloc(const peer_world *w, size_t n)
{
    void *p = calloc(1, n);
    if (p == NULL) {
        peer_die(w, "no memory for a test");
    }
    return p;
}

void peer_need(const peer_world *w, kg_err e, const kg_diag *diag, const char *what)
{
    if (e != KG_OK) {
        peer_die(w, "%s: %s: %s", what, kg_err_name(e), diag != NULL ? diag->text : "");
    }
}

static void path_in(const peer_world *w, const char *name, char out[PEER_PATH])
{
    (void)snprintf(out, PEER_PATH, "%s/%s", w->dir, name);
}

static void write_file(const peer_world *w, const char *name, const char *text, size_t n)
{
    char path[PEER_PATH];
    kg_diag diag = {0};
    path_in(w, name, path);
    peer_need(w, kg_file_replace(path, text, n, 0600, &diag), &diag, name);
}

/* ---- keys and manifest ---- */

static void make_keys(peer_world *w)
{
    kg_diag diag = {0};
    peer_need(w, trust_start(&diag), &diag, "trust");
    for (int i = 0; i < PEER_WHO_COUNT; i++) {
        char path[PEER_PATH];
        path_in(w, key_names[i], path);
        peer_need(w, secret_new(use_of((peer_who)i), &w->keys[i], &diag), &diag, key_names[i]);
        peer_need(w, secret_save(w->keys[i], path, &diag), &diag, key_names[i]);
    }
}

void peer_manifest(peer_world *w, uint64_t version, peer_who revoked)
{
    static const char *province[] = {"86"};
    static const char *home[] = {"28756"};
    static const char *health[] = {"health"};
    static const char *security[] = {"security"};
    static const char *any[] = {"*"};
    static const char *all_stations[] = {"st-*"};
    static const char *few_stations[] = {"st-0000*"};
    const alert_texts in_province = {province, 1};
    const key_entry department = {.use = KEY_SIGN_ACTUAL,
                                  .holder = "Bà An",
                                  .agency = "so-y-te",
                                  .areas = in_province,
                                  .sectors = {health, 1},
                                  .class_max = CLASS_URGENT,
                                  .first_warning = true};
    key_entry e[PEER_WHO_COUNT];
    for (int i = 0; i < PEER_WHO_COUNT; i++) {
        e[i] = department;
    }
    e[PEER_HEALTH_2].holder = "Ông Bình";
    e[PEER_POLICE].holder = "Trực ban công an";
    e[PEER_POLICE].agency = "cong-an-tinh";
    e[PEER_POLICE].sectors = (alert_texts){security, 1};
    e[PEER_COMMUNE] = (key_entry){.use = KEY_SIGN_ACTUAL,
                                  .holder = "Chủ tịch phường",
                                  .agency = "ubnd-28756",
                                  .areas = {home, 1},
                                  .sectors = {any, 1},
                                  .class_max = CLASS_PRIORITY};
    e[PEER_DRILL].use = KEY_SIGN_DRILL;
    e[PEER_REVOKED].holder = "Ông Cường";
    e[PEER_REVOKED].revoked_ms = 1;
    e[PEER_ROUTER] = (key_entry){.use = KEY_CONNECT, .holder = "router", .role = ROLE_ROUTER};
    e[PEER_ROUTER_SIGN] = (key_entry){.use = KEY_SIGN_ACTUAL, .holder = "router", .role = ROLE_ROUTER};
    e[PEER_PUBLISHER] = (key_entry){.use = KEY_CONNECT, .holder = "keng-publisher so-y-te", .role = ROLE_PUBLISHER};
    e[PEER_SINK] = (key_entry){.use = KEY_CONNECT, .holder = "sink", .role = ROLE_SINK, .stations = {all_stations, 1}};
    e[PEER_SINK_2] =
        (key_entry){.use = KEY_CONNECT, .holder = "sink-2", .role = ROLE_SINK, .stations = {few_stations, 1}};
    e[PEER_OPERATOR] = (key_entry){.use = KEY_CONNECT, .holder = "Trực ban", .role = ROLE_OPERATOR};
    key_entry listed[PEER_WHO_COUNT];
    size_t n = 0;
    for (int i = 0; i < PEER_WHO_COUNT; i++) {
        if (i != PEER_STRANGER && i != PEER_ROOT) {
            listed[n] = e[i];
            listed[n].key = secret_public(w->keys[i]);
            listed[n].revoked_ms = i == (int)revoked ? 1 : e[i].revoked_ms;
            n++;
        }
    }
    kg_buf out = {0};
    kg_diag diag = {0};
    peer_need(w, manifest_make(version, 0, 0, listed, n, w->keys[PEER_ROOT], &out, &diag), &diag, "manifest");
    write_file(w, "keys.manifest", out.s, out.len);
    kg_buf_done(&out);
}

/* ---- policy, stations, router.yaml ---- */

static const char policy_text[] =
    "province: \"86\"\n"
    "name: tỉnh thử\n"
    "stations: stations.tsv\n"
    "sectors:\n"
    "  - {id: health, name: Y tế, lead: so-y-te, basis: thử}\n"
    "  - {id: security, name: An ninh, lead: cong-an-tinh, basis: thử}\n"
    "agencies:\n"
    "  - {id: so-y-te, name: Sở Y tế, areas: [\"86\"], sectors: [health], class_max: urgent,\n"
    "     first_warning: true, basis: thử}\n"
    "  - {id: cong-an-tinh, name: Công an tỉnh, areas: [\"86\"], sectors: [security], class_max: urgent,\n"
    "     first_warning: true, basis: thử}\n"
    "  - {id: ubnd, name: UBND, each_commune: true, sectors: [\"*\"], class_max: urgent, first_warning: true,\n"
    "     basis: thử}\n"
    "classes:\n"
    "  - {class: routine, default_ttl_minutes: 1440, basis: thử}\n"
    "  - {class: priority, default_ttl_minutes: 720, basis: thử}\n"
    "  - {class: urgent, default_ttl_minutes: 360, basis: thử}\n"
    "media:\n"
    "  - {medium: loudspeaker, class: routine, mode: offer, basis: thử}\n"
    "  - {medium: loudspeaker, class: priority, mode: next, basis: thử}\n"
    "  - {medium: loudspeaker, class: urgent, mode: interrupt, basis: thử}\n"
    "news: {hours: [], basis: thử}\n"
    "repeats:\n"
    "  - {id: urgent, media: [loudspeaker], classes: [urgent], every_minutes: 120, basis: thử}\n"
    "languages: []\n"
    "drills:\n"
    "  - {status: exercise, media: [loudspeaker], public_sms: false, basis: thử}\n"
    "  - {status: test, media: [loudspeaker], public_sms: false, basis: thử}\n"
    "signatures:\n"
    "  enforced: %s\n"
    "  first_warning: 1\n"
    "  basis: thử\n"
    "  rules:\n"
    "    - {id: wide, class_min: urgent, over_communes: 1, needed: 2, basis: thử}\n";

void peer_station(size_t i, char out[PEER_STATION_TEXT])
{
    (void)snprintf(out, PEER_STATION_TEXT, "st-%05u", (unsigned)i % 100000u);
}

const char *peer_commune(const peer_world *w, size_t i)
{
    return areas_at(w->areas, i % PEER_PROVINCE_COMMUNES)->code;
}

static void write_tables(peer_world *w, const peer_setup *setup)
{
    kg_buf b = {0};
    kg_ignore(kg_buf_putf(&b, policy_text, setup->two_signatures ? "true" : "false")); /* all of it checked below */
    write_file(w, "policy.yaml", kg_buf_str(&b), b.len);
    kg_buf_clear(&b);
    kg_ignore(kg_buf_puts(&b, "id\tname\tmedium\tareas\ttype\tlanguages\tperson\taudience\n"));
    for (size_t i = 0; i < w->stations; i++) {
        char id[PEER_STATION_TEXT];
        peer_station(i, id);
        kg_ignore(kg_buf_putf(&b, "%s\tLoa %zu\tloudspeaker\t%s\tip\tvi\t\t\n", id, i, peer_commune(w, i)));
    }
    peer_need(w, kg_buf_failed(&b), NULL, "stations");
    write_file(w, "stations.tsv", b.s, b.len);
    kg_buf_done(&b);
}

static void write_config(peer_world *w, const peer_setup *setup, const char *communes)
{
    kg_buf b = {0};
    char root[KEY_TEXT];
    const public_key key = secret_public(w->keys[PEER_ROOT]);
    public_text(&key, root);
    kg_ignore(kg_buf_putf(&b,
                          "name: thu\nkey: router\nsign_key: router-sign\nroot: %s\nmanifest: keys.manifest\n"
                          "policy: policy.yaml\ncommunes: [%s]\nstate: state\nlisten:\n  intake: %s\n  urgent: %s\n"
                          "  other: %s\n  control: %s\n  status: %s\n",
                          root, communes, w->intake, w->urgent, w->other, w->control, w->status));
    if (setup->per_minute != 0) {
        kg_ignore(kg_buf_putf(&b, "rate: {per_minute: %u, burst: %u}\n", setup->per_minute, setup->burst));
    }
    peer_need(w, kg_buf_failed(&b), NULL, "router.yaml");
    write_file(w, "router.yaml", b.s, b.len);
    kg_buf_done(&b);
}

static void choose_endpoints(peer_world *w, bool tcp)
{
    static const char *const names[] = {"intake", "urgent", "other", "control", "status"};
    char *const all[] = {w->intake, w->urgent, w->other, w->control, w->status};
    uint16_t port = 0;
    trust_random(&port, sizeof port);
    for (size_t i = 0; i < 5; i++) {
        if (tcp) {
            (void)snprintf(all[i], PEER_PATH, "tcp://127.0.0.1:%u", 20000u + port % 10000u + (unsigned)i);
        } else {
            (void)snprintf(all[i], PEER_PATH, "ipc://%s/%s.sock", w->dir, names[i]);
        }
    }
}

peer_world *peer_world_new(const peer_setup *setup)
{
    peer_world *w = peer_alloc(NULL, sizeof *w);
    const char *source = getenv("KENG_SOURCE_DIR");
    char communes[512];
    char real[PATH_MAX];
    kg_diag diag = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(w->dir, sizeof w->dir, "/tmp/keng-peer-XXXXXX");
    if (mkdtemp(w->dir) == NULL) {
        peer_die(NULL, "no temporary folder");
    }
    w->router = -1;
    w->stations = setup->stations == 0 ? 4 : setup->stations;
    (void)snprintf(communes, sizeof communes, "%s/deploy/provinces/vinh-long/communes.tsv",
                   source != NULL ? source : ".");
    if (realpath(communes, real) == NULL) {
        peer_die(w, "%s is not there; set KENG_SOURCE_DIR", communes);
    }
    peer_need(w, areas_load(real, &w->areas, &diag), &diag, "communes");
    if (areas_count(w->areas) != PEER_PROVINCE_COMMUNES) {
        peer_die(w, "Vinh Long should have %d communes", PEER_PROVINCE_COMMUNES);
    }
    make_keys(w);
    choose_endpoints(w, setup->tcp);
    peer_manifest(w, 1, PEER_WHO_COUNT);
    write_tables(w, setup);
    write_config(w, setup, real);
    return w;
}

static void remove_folder(const char *dir)
{
    const pid_t pid = fork();
    if (pid == 0) {
        (void)execlp("rm", "rm", "-rf", dir, (char *)NULL);
        _exit(127);
    }
    if (pid > 0) {
        (void)waitpid(pid, NULL, 0);
    }
}

void peer_world_free(peer_world **world)
{
    if (world == NULL || *world == NULL) {
        return;
    }
    peer_world *w = *world;
    if (w->router > 0) {
        (void)peer_router_end(w, SIGKILL);
    }
    for (int i = 0; i < PEER_BUSES; i++) {
        bus_free(&w->buses[i]);
    }
    for (int i = 0; i < PEER_WHO_COUNT; i++) {
        secret_free(&w->keys[i]);
    }
    areas_free(&w->areas);
    if (getenv("KENG_KEEP") == NULL) {
        remove_folder(w->dir);
    } else {
        (void)fprintf(stderr, "kept: %s\n", w->dir);
    }
    free(w);
    *world = NULL;
}

const char *peer_dir(const peer_world *w)
{
    return w->dir;
}

const secret_key *peer_key(const peer_world *w, peer_who who)
{
    return w->keys[who];
}

public_key peer_router_key(const peer_world *w)
{
    return secret_public(w->keys[PEER_ROUTER]);
}

/* ---- the router's process ---- */

size_t peer_router_log_count(const peer_world *w, const char *text)
{
    char path[PEER_PATH];
    kg_buf log = {0};
    size_t n = 0;
    path_in(w, "router.log", path);
    if (kg_file_read(path, KG_BUF_MAX, &log, NULL) == KG_OK) {
        for (const char *at = kg_buf_str(&log); (at = strstr(at, text)) != NULL; n++) {
            at = strchr(at, '\n');
            if (at == NULL) {
                n++;
                break;
            }
        }
    }
    kg_buf_done(&log);
    return n;
}

static _Noreturn void become_router(const peer_world *w, const char *fault)
{
    char program[512];
    char config[PEER_PATH];
    char log[PEER_PATH];
    const char *bin = getenv("KENG_BIN_DIR");
    path_in(w, "router.yaml", config);
    path_in(w, "router.log", log);
    (void)snprintf(program, sizeof program, "%s/keng-router", bin != NULL ? bin : "build-dev/bin");
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0) {
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
    }
    if (fault != NULL) {
        (void)setenv("KENG_FAULT", fault, 1);
    } else {
        (void)unsetenv("KENG_FAULT");
    }
    (void)execl(program, program, "--config", config, (char *)NULL);
    (void)fprintf(stderr, "cannot run %s: set KENG_BIN_DIR\n", program);
    _exit(127);
}

void peer_router_start(peer_world *w, const char *fault)
{
    const size_t before = peer_router_log_count(w, " router.ready ");
    w->router = fork();
    if (w->router == 0) {
        become_router(w, fault);
    }
    if (w->router < 0) {
        peer_die(w, "cannot start a process");
    }
    const int64_t end = peer_now_us() + (int64_t)PEER_WAIT_MS * 1000;
    while (peer_router_log_count(w, " router.ready ") == before) {
        if (!peer_router_alive(w)) {
            if (fault == NULL) {
                peer_die(w, "the router ended while starting, status %d", w->last_status);
            }
            return;
        }
        if (peer_now_us() > end) {
            peer_die(w, "the router does not get ready");
        }
        (void)poll(NULL, 0, 5);
    }
}

bool peer_router_alive(peer_world *w)
{
    int status = 0;
    if (w->router > 0 && waitpid(w->router, &status, WNOHANG) == w->router) {
        w->router = -1;
        w->last_status = status;
    }
    return w->router > 0;
}

int peer_router_wait(peer_world *w, int64_t at_most_ms)
{
    const int64_t end = peer_now_us() + at_most_ms * 1000;
    while (peer_router_alive(w)) {
        if (peer_now_us() > end) {
            return -1;
        }
        (void)peer_until(w, NULL, NULL, 5);
    }
    return w->last_status;
}

void peer_router_signal(peer_world *w, int sig)
{
    if (w->router > 0) {
        (void)kill(w->router, sig);
    }
}

int peer_router_end(peer_world *w, int sig)
{
    peer_router_signal(w, sig);
    if (peer_router_wait(w, PEER_WAIT_MS) == -1) {
        peer_router_signal(w, SIGKILL);
        (void)peer_router_wait(w, PEER_WAIT_MS);
        if (sig != SIGKILL) {
            peer_die(w, "the router does not end on signal %d", sig);
        }
    }
    return w->last_status;
}

pid_t peer_router_pid(const peer_world *w)
{
    return w->router;
}

/* ---- serving ---- */

bus *peer_bus_of(peer_world *w, peer_bus which)
{
    static const peer_who owners[PEER_BUSES] = {PEER_PUBLISHER, PEER_SINK, PEER_SINK_2};
    if (w->buses[which] == NULL) {
        kg_diag diag = {0};
        peer_need(w, bus_new(w->keys[owners[which]], &w->buses[which], &diag), &diag, "bus");
    }
    return w->buses[which];
}

static bool serve(peer_world *w, int wait_ms)
{
    struct pollfd fds[PEER_BUSES];
    nfds_t n = 0;
    bool work = false;
    for (int i = 0; i < PEER_BUSES; i++) {
        if (w->buses[i] != NULL) {
            fds[n++] = (struct pollfd){.fd = bus_fd(w->buses[i]), .events = POLLIN};
            work = work || bus_pending(w->buses[i]);
        }
    }
    (void)poll(fds, n, work ? 0 : wait_ms);
    bool more = false;
    for (int i = 0; i < PEER_BUSES; i++) {
        if (w->buses[i] != NULL) {
            bool some = false;
            kg_diag diag = {0};
            peer_need(w, bus_poll(w->buses[i], 1024, &some, &diag), &diag, "bus_poll");
            more = more || some;
        }
    }
    return more;
}

bool peer_until(peer_world *w, bool (*cond)(void *ctx), void *ctx, int64_t at_most_ms)
{
    const int64_t end = peer_now_us() + at_most_ms * 1000;
    bool more = false;
    for (;;) {
        if (cond != NULL && cond(ctx)) {
            return true;
        }
        const int64_t left_ms = (end - peer_now_us()) / 1000;
        if (left_ms <= 0) {
            return cond == NULL;
        }
        more = serve(w, more ? 0 : left_ms < 20 ? (int)left_ms : 20);
    }
}

void peer_ask(peer_world *w, const char *verb, const char *const *arguments, size_t count, control_answer *out)
{
    const public_key router = peer_router_key(w);
    kg_diag diag = {0};
    peer_need(w,
              control_ask(w->keys[PEER_OPERATOR], w->control, &router, verb, arguments, count, "người thử",
                          PEER_WAIT_MS, out, &diag),
              &diag, verb);
}

int64_t peer_status(peer_world *w, const char *name)
{
    control_answer a = {0};
    int64_t value = -1;
    peer_ask(w, "status", NULL, 0, &a);
    for (size_t i = 0; i < a.row_count; i++) {
        if (a.rows[i].cells.count == 2 && strcmp(a.rows[i].cells.items[0], name) == 0) {
            value = strtoll(a.rows[i].cells.items[1], NULL, 10);
            break; /* a counter comes before the state of the same name */
        }
    }
    control_answer_done(&a);
    return value;
}

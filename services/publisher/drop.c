#include "drop.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "svc/cli.h"

enum { FILES_MAX = 16, FILE_BYTES_MAX = 16 * 1024 * 1024, SCAN_MS = 5000, ANSWER_MS = 3000, LATE_MAX = 1024 };

/* One file on its way through the desk. */
typedef struct parcel {
    drop *drop;
    char name[NAME_MAX + 1]; /* "" free */
    kg_buf document, reason;
} parcel;

struct drop {
    loop *loop;
    desk *desk;
    int fd;
    loop_timer *scan;
    char folder[PATH_MAX];
    parcel parcels[FILES_MAX];
    bool more;                 /* files were left for want of a place */
    alert_hash late[LATE_MAX]; /* names whose answer did not come: they wait behind those not tried yet */
    size_t late_at;
};

static bool join(char out[PATH_MAX], const char *a, const char *b, const char *c, const char *d)
{
    const int n = snprintf(out, PATH_MAX, "%s/%s%s%s", a, b, c, d);
    return n > 0 && n < PATH_MAX;
}

/* Moves the file to where it ends; a name that is taken there gets the time added, so that nothing is overwritten. */
static void file_away(parcel *p, const char *where)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    char note[PATH_MAX];
    char stamp[32] = "";
    struct stat st;
    kg_diag diag = {{0}};
    bool good = join(from, p->drop->folder, p->name, "", "") && join(to, p->drop->folder, where, "/", p->name);
    if (good && stat(to, &st) == 0) {
        (void)snprintf(stamp, sizeof stamp, ".%lld", (long long)kg_clock_wall_ms());
        char plain[PATH_MAX];
        (void)snprintf(plain, sizeof plain, "%s", to);
        const int n = snprintf(to, sizeof to, "%s%s", plain, stamp);
        good = n > 0 && n < (int)sizeof to;
    }
    const int n = good ? snprintf(note, sizeof note, "%s.txt", to) : -1;
    good = n > 0 && n < (int)sizeof note;
    /* The reason first: a file that has arrived always has its reason beside it. */
    if (!good || kg_file_replace(note, kg_buf_str(&p->reason), p->reason.len, 0640, &diag) != KG_OK ||
        rename(from, to) != 0) {
        kg_log(KG_ERROR, "drop.cannot_file_away", KG_TEXT("file", p->name),
               KG_TEXT("why", diag.text[0] != '\0' ? diag.text : strerror(errno)));
    }
}

static void on_say(void *ctx, const char *line)
{
    parcel *p = ctx;
    if (kg_buf_putf(&p->reason, "%s\n", line) != KG_OK) {
        kg_log(KG_WARNING, "drop.reason_cut", KG_TEXT("file", p->name));
    }
}

static bool is_late(const drop *d, const char *name)
{
    const alert_hash h = alert_hash_of(name, strlen(name));
    for (size_t i = 0; i < LATE_MAX; i++) {
        if (memcmp(&d->late[i], &h, sizeof h) == 0) {
            return true;
        }
    }
    return false;
}

static void mark_late(drop *d, const char *name)
{
    if (!is_late(d, name)) {
        d->late[d->late_at] = alert_hash_of(name, strlen(name));
        d->late_at = (d->late_at + 1) % LATE_MAX;
        kg_log(KG_WARNING, "drop.later", KG_TEXT("file", name));
    }
}

/* LATER: it is in the outbox, and goes from there; the file stays until the answer is known, but not in the way of
 * others. */
static void on_end(void *ctx, int status)
{
    parcel *p = ctx;
    const char *where = status == CLI_OK ? "accepted" : "refused";
    if (status == CLI_LATER) {
        mark_late(p->drop, p->name);
    } else {
        kg_log(KG_INFO, status == CLI_OK ? "drop.accepted" : "drop.refused", KG_TEXT("file", p->name));
        file_away(p, where);
    }
    kg_buf_done(&p->document);
    kg_buf_done(&p->reason);
    p->name[0] = '\0';
    if (p->drop->more && p->drop->scan != NULL) {
        p->drop->more = false;
        loop_timer_set(p->drop->scan, 0);
    }
}

static void take(drop *d, const char *name)
{
    const size_t n = strlen(name);
    if (name[0] == '.' || n > NAME_MAX || (n > 5 && strcmp(name + n - 5, ".part") == 0)) {
        return;
    }
    parcel *p = NULL;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (strcmp(d->parcels[i].name, name) == 0) {
            return; /* on its way */
        }
        if (d->parcels[i].name[0] == '\0') {
            p = &d->parcels[i];
        }
    }
    char path[PATH_MAX];
    struct stat st;
    if (!join(path, d->folder, name, "", "") || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    if (p == NULL) {
        d->more = true; /* a scan takes it when a place is free */
        return;
    }
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    kg_diag diag = {{0}};
    if (kg_file_read(path, FILE_BYTES_MAX, &p->document, &diag) != KG_OK) {
        on_say(p, diag.text);
        on_end(p, CLI_FAILED);
        return;
    }
    const desk_request r = {.verb = "send",
                            .name = p->name,
                            .folder = d->folder,
                            .document = &p->document,
                            .document_ms = (int64_t)st.st_mtim.tv_sec * 1000,
                            .wait_ms = ANSWER_MS};
    const desk_ears ears = {.say = on_say, .end = on_end, .ctx = p};
    desk_ask(d->desk, &r, &ears);
}

static void scan_for(drop *d, DIR *dir, bool late)
{
    rewinddir(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (is_late(d, entry->d_name) == late) {
            take(d, entry->d_name);
        }
    }
}

static void scan(void *ctx)
{
    drop *d = ctx;
    DIR *dir = opendir(d->folder);
    loop_timer_set(d->scan, SCAN_MS);
    if (dir == NULL) {
        kg_log(KG_ERROR, "drop.folder_gone", KG_TEXT("folder", d->folder), KG_TEXT("why", strerror(errno)));
        return;
    }
    scan_for(d, dir, false);
    scan_for(d, dir, true);
    (void)closedir(dir);
}

static void on_change(void *ctx, int fd, unsigned events)
{
    drop *d = ctx;
    (void)events;
    _Alignas(struct inotify_event) char bytes[8192];
    const ssize_t n = read(fd, bytes, sizeof bytes);
    for (ssize_t at = 0; n > 0 && at < n;) {
        const struct inotify_event *e = (const struct inotify_event *)(const void *)(bytes + at);
        if (e->len > 0) {
            take(d, e->name);
        }
        at += (ssize_t)(sizeof *e + e->len);
    }
}

kg_err drop_open(loop *l, desk *desk_, const char *folder, drop **out, kg_diag *diag)
{
    drop *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the drop folder");
    }
    d->loop = l;
    d->desk = desk_;
    d->fd = -1;
    (void)snprintf(d->folder, sizeof d->folder, "%s", folder);
    char sub[PATH_MAX];
    struct stat st;
    kg_err e = KG_OK;
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) { /* a mistyped one would be watched for ever, and stay empty */
        e = kg_fail(diag, KG_E_NOTFOUND, "%s: there is no such folder to watch; make it first", folder);
    }
    if (e == KG_OK) {
        e = join(sub, folder, "accepted", "", "") ? kg_dir_make(sub, 0750, diag) : KG_E_LIMIT;
    }
    if (e == KG_OK) {
        e = join(sub, folder, "refused", "", "") ? kg_dir_make(sub, 0750, diag) : KG_E_LIMIT;
    }
    for (size_t i = 0; i < FILES_MAX; i++) {
        d->parcels[i].drop = d;
    }
    if (e == KG_OK) {
        d->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (d->fd < 0 || inotify_add_watch(d->fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
            e = kg_fail(diag, KG_E_IO, "%s: cannot be watched: %s", folder, strerror(errno));
        }
    }
    if (e == KG_OK) {
        e = loop_watch(l, d->fd, LOOP_READ, on_change, d);
    }
    if (e == KG_OK) {
        e = loop_timer_new(l, scan, d, &d->scan);
    }
    if (e != KG_OK) {
        drop_close(&d);
        return e;
    }
    loop_timer_set(d->scan, 0);
    *out = d;
    return KG_OK;
}

void drop_close(drop **d)
{
    if (d == NULL || *d == NULL) {
        return;
    }
    for (size_t i = 0; i < FILES_MAX; i++) {
        parcel *p = &(*d)->parcels[i];
        if (p->name[0] != '\0') {
            desk_hang_up((*d)->desk, p);
        }
        kg_buf_done(&p->document);
        kg_buf_done(&p->reason);
    }
    if ((*d)->fd >= 0) {
        loop_unwatch((*d)->loop, (*d)->fd);
        (void)close((*d)->fd);
    }
    loop_timer_free(&(*d)->scan);
    free(*d);
    *d = NULL;
}

#include "deskdoor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "svc/cli.h"

enum {
    FIELDS = 7,
    REQUEST_MAX = 16384,
    LINE_BYTES_MAX = 4096,
    CALLERS_MAX = 32,
    DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
};

typedef struct caller {
    deskdoor *door;
    int fd; /* -1: free */
    kg_buf document;
} caller;

struct deskdoor {
    loop *loop;
    desk *desk;
    int fd;
    char path[512];
    caller callers[CALLERS_MAX];
};

/* A path through the folder's descriptor: socket addresses hold 107 bytes, state folders may be deeper. */
static kg_err address(const char *state, int *dir, struct sockaddr_un *a, kg_diag *diag)
{
    *dir = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*dir < 0) {
        return kg_fail(diag, KG_E_NOTFOUND, "%s: cannot open the state folder: %s", state, strerror(errno));
    }
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/desk.sock", *dir);
    return KG_OK;
}

static void drop_caller(caller *c)
{
    desk_hang_up(c->door->desk, c);
    loop_unwatch(c->door->loop, c->fd);
    (void)close(c->fd);
    kg_buf_done(&c->document);
    c->fd = -1;
}

static void on_line(void *ctx, const char *line)
{
    const caller *c = ctx;
    char message[LINE_BYTES_MAX];
    const int n = snprintf(message, sizeof message, "L%s", line);
    const size_t len = n < (int)sizeof message ? (size_t)n : sizeof message - 1;
    if (send(c->fd, message, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        kg_log(KG_INFO, "deskdoor.line_lost", KG_TEXT("why", strerror(errno)));
    }
}

static void on_end(void *ctx, int status)
{
    caller *c = ctx;
    char message[16];
    const int n = snprintf(message, sizeof message, "E%d", status);
    if (send(c->fd, message, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        kg_log(KG_INFO, "deskdoor.end_lost", KG_TEXT("why", strerror(errno)));
    }
    /* The caller closes when it has read the end; drop_caller then frees the place. */
}

static bool split(char *request, size_t n, const char *fields[FIELDS])
{
    size_t at = 0;
    for (size_t i = 0; i < FIELDS; i++) {
        const char *end = at < n ? memchr(request + at, '\0', n - at) : NULL;
        if (end == NULL) {
            return false;
        }
        fields[i] = request + at;
        at = (size_t)(end - request) + 1;
    }
    return at == n;
}

static int descriptor_of(const struct msghdr *m)
{
    int fd = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof fd)) {
            memcpy(&fd, CMSG_DATA(c), sizeof fd);
        }
    }
    return fd;
}

static bool read_document(int fd, kg_buf *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > DOCUMENT_BYTES_MAX ||
        kg_buf_reserve(out, (size_t)st.st_size) != KG_OK) {
        return false;
    }
    while (out->len < (size_t)st.st_size) {
        const ssize_t n = pread(fd, out->s + out->len, (size_t)st.st_size - out->len, (off_t)out->len);
        if (n <= 0) {
            return false;
        }
        out->len += (size_t)n;
        out->s[out->len] = '\0';
    }
    return true;
}

static void serve(caller *c, char *request, size_t n, int document_fd)
{
    const char *f[FIELDS];
    if (!split(request, n, f) || (document_fd >= 0 && !read_document(document_fd, &c->document))) {
        on_line(c, "the request is not of this publisher's form; are both programs of one version?");
        on_end(c, CLI_USAGE);
        return;
    }
    const desk_request r = {
        .verb = f[0],
        .alert = f[1],
        .name = f[2],
        .folder = f[3],
        .document = document_fd >= 0 ? &c->document : NULL,
        .follow = f[4][0] == '1',
        .wait_ms = strtoll(f[5], NULL, 10),
        .document_ms = strtoll(f[6], NULL, 10),
    };
    const desk_ears ears = {.say = on_line, .end = on_end, .ctx = c};
    desk_ask(c->door->desk, &r, &ears);
}

static void on_caller(void *ctx, int fd, unsigned events)
{
    caller *c = ctx;
    (void)events;
    char request[REQUEST_MAX];
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {request, sizeof request};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    const ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        drop_caller(c);
        return;
    }
    const int document = descriptor_of(&m);
    serve(c, request, (size_t)n, document);
    if (document >= 0) {
        (void)close(document);
    }
}

static void on_knock(void *ctx, int fd, unsigned events)
{
    deskdoor *d = ctx;
    (void)events;
    const int new_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (new_fd < 0) {
        return;
    }
    for (size_t i = 0; i < CALLERS_MAX; i++) {
        caller *c = &d->callers[i];
        if (c->fd < 0 && loop_watch(d->loop, new_fd, LOOP_READ, on_caller, c) == KG_OK) {
            c->fd = new_fd;
            return;
        }
    }
    (void)close(new_fd); /* the caller sees the end without a status and says so */
}

kg_err deskdoor_open(loop *l, desk *d, const char *state, deskdoor **out, kg_diag *diag)
{
    deskdoor *door = calloc(1, sizeof *door);
    if (door == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the desk's door");
    }
    door->loop = l;
    door->desk = d;
    for (size_t i = 0; i < CALLERS_MAX; i++) {
        door->callers[i] = (caller){.door = door, .fd = -1};
    }
    int dir = -1;
    struct sockaddr_un a;
    kg_err e = address(state, &dir, &a, diag);
    door->fd = e == KG_OK ? socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (e == KG_OK) {
        (void)snprintf(door->path, sizeof door->path, "%s/desk.sock", state);
        (void)unlink(door->path); /* left by one that was killed: the outbox's lock says that nobody else runs */
        if (door->fd < 0 || bind(door->fd, (const struct sockaddr *)&a, sizeof a) != 0 ||
            chmod(door->path, 0600) != 0 || listen(door->fd, CALLERS_MAX) != 0) {
            e = kg_fail(diag, KG_E_IO, "%s: cannot open the desk's door: %s", door->path, strerror(errno));
        }
    }
    if (e == KG_OK) {
        e = loop_watch(l, door->fd, LOOP_READ, on_knock, door);
    }
    if (dir >= 0) {
        (void)close(dir);
    }
    if (e != KG_OK) {
        deskdoor_close(&door);
        return e;
    }
    *out = door;
    return KG_OK;
}

void deskdoor_close(deskdoor **d)
{
    if (d == NULL || *d == NULL) {
        return;
    }
    for (size_t i = 0; i < CALLERS_MAX; i++) {
        if ((*d)->callers[i].fd >= 0) {
            drop_caller(&(*d)->callers[i]);
        }
    }
    if ((*d)->fd >= 0) {
        loop_unwatch((*d)->loop, (*d)->fd);
        (void)close((*d)->fd);
        (void)unlink((*d)->path);
    }
    free(*d);
    *d = NULL;
}

/* ---- the caller's side ---- */

static int document_descriptor(const kg_buf *document)
{
    const int fd = memfd_create("document", MFD_CLOEXEC);
    for (size_t at = 0; fd >= 0 && at < document->len;) {
        const ssize_t n = write(fd, document->s + at, document->len - at);
        if (n <= 0) {
            (void)close(fd);
            return -1;
        }
        at += (size_t)n;
    }
    return fd;
}

static bool put_field(kg_buf *b, const char *text)
{
    const char *s = text != NULL ? text : "";
    return kg_buf_put(b, s, strlen(s) + 1) == KG_OK;
}

static bool send_request(int fd, const desk_request *r, int document)
{
    kg_buf request = {.max = REQUEST_MAX};
    char wait[32];
    char changed[32];
    (void)snprintf(wait, sizeof wait, "%" PRId64, r->wait_ms);
    (void)snprintf(changed, sizeof changed, "%" PRId64, r->document_ms);
    bool good = put_field(&request, r->verb) && put_field(&request, r->alert) && put_field(&request, r->name) &&
                put_field(&request, r->folder) && put_field(&request, r->follow ? "1" : "0") &&
                put_field(&request, wait) && put_field(&request, changed);
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {request.s, request.len};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    if (document >= 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof control;
        control.header =
            (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &document, sizeof document);
    }
    good = good && sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)request.len;
    kg_buf_done(&request);
    return good;
}

static kg_err listen_to_end(int fd, const deskdoor_line *line, int *status, kg_diag *diag)
{
    char message[LINE_BYTES_MAX + 1];
    for (;;) {
        const ssize_t n = recv(fd, message, LINE_BYTES_MAX, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return kg_fail(diag, KG_E_IO,
                           "the publisher ended before it answered; what it had signed is in its outbox");
        }
        message[n] = '\0';
        if (message[0] == 'E') {
            *status = (int)strtol(message + 1, NULL, 10);
            return KG_OK;
        }
        line->say(line->ctx, message + 1);
    }
}

kg_err deskdoor_ask(const char *state, const desk_request *r, const deskdoor_line *line, int *status, kg_diag *diag)
{
    int dir = -1;
    int document = -1;
    struct sockaddr_un a;
    kg_err e = address(state, &dir, &a, diag);
    const int fd = e == KG_OK ? socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) : -1;
    if (e == KG_OK && (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)) {
        e = kg_fail(diag, KG_E_NOTFOUND, "no publisher runs on %s", state);
    }
    if (e == KG_OK && r->document != NULL) {
        document = document_descriptor(r->document);
        e = document >= 0 ? KG_OK : kg_fail(diag, KG_E_IO, "cannot hand over the document: %s", strerror(errno));
    }
    if (e == KG_OK && !send_request(fd, r, document)) {
        e = kg_fail(diag, KG_E_IO, "the publisher on %s does not take requests: %s", state, strerror(errno));
    }
    if (e == KG_OK) {
        e = listen_to_end(fd, line, status, diag);
    }
    if (document >= 0) {
        (void)close(document);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (dir >= 0) {
        (void)close(dir);
    }
    return e;
}

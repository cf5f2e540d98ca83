#include "roll.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"

enum { FILE_MAX = 8 * 1024 * 1024, LINE_MAX = 48 };

roll_entry *roll_find(roll *r, uint64_t mark)
{
    size_t low = 0;
    size_t high = r->count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (r->items[mid].mark == mark) {
            return &r->items[mid];
        }
        if (r->items[mid].mark < mark) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

roll_entry *roll_next_waiting(roll *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i].stand == STAND_WAITING) {
            return &r->items[i];
        }
    }
    return NULL;
}

static void take_line(roll *r, const char *line)
{
    char what = 0;
    uint64_t mark = 0;
    unsigned stand = 0;
    const int got = sscanf(line, "%c %" SCNu64 " %u", &what, &mark, &stand); /* NOLINT(cert-err34-c): counted below */
    roll_entry *e = got >= 2 ? roll_find(r, mark) : NULL;
    if (e == NULL) {
        return; /* a number that has left the list, or the torn last line */
    }
    if (what == 'A' && e->stand == STAND_WAITING) {
        e->stand = STAND_ASKED;
    } else if (what == 'N' && e->stand == STAND_ASKED) {
        e->stand = STAND_WAITING;
    } else if (what == 'Q' && e->stand <= STAND_ASKED) {
        e->stand = STAND_QUEUED;
    } else if (what == 'S' && got == 3 && stand <= STAND_DELIVERED && stand > (unsigned)e->stand) {
        e->stand = (dlr_stand)stand;
        e->sent = e->sent || e->stand == STAND_SENT || e->stand == STAND_DELIVERED;
    }
}

static kg_err take_up(roll *r, const char *path, bool again, kg_diag *diag)
{
    kg_buf text = {0};
    kg_err e = kg_file_read(path, FILE_MAX, &text, diag);
    if (e == KG_E_NOTFOUND) {
        kg_buf_done(&text);
        return KG_OK;
    }
    for (const char *p = kg_buf_str(&text); e == KG_OK && *p != '\0';) {
        take_line(r, p);
        p += strcspn(p, "\n");
        p += *p == '\n' ? 1 : 0;
    }
    for (size_t i = 0; e == KG_OK && i < r->count; i++) {
        if (r->items[i].stand == STAND_ASKED) {
            r->items[i].stand = again ? STAND_WAITING : STAND_QUEUED;
            r->items[i].once_more = again;
        }
    }
    kg_buf_done(&text);
    return e;
}

static kg_err select_numbers(roll *r, const numbers *all, const alert_texts *communes, const char *province)
{
    r->items = kg_arena_array(&r->mem, all->count > 0 ? all->count : 1, sizeof *r->items);
    for (size_t i = 0; r->items != NULL && i < all->count; i++) {
        const number *n = &all->items[i];
        if (numbers_is_for(n, communes, province)) {
            roll_entry *e = &r->items[r->count++];
            e->mark = n->mark;
            memcpy(e->digits, n->digits, sizeof e->digits);
        }
    }
    return r->items != NULL ? KG_OK : KG_E_NOMEM;
}

kg_err roll_open(const char *path, const numbers *all, const alert_texts *communes, const char *province, bool again,
                 roll *out, kg_diag *diag)
{
    roll r = {.fd = -1};
    kg_err e = select_numbers(&r, all, communes, province);
    if (e == KG_OK) {
        e = take_up(&r, path, again, diag);
    } else {
        e = kg_fail(diag, e, "no memory for a list of numbers");
    }
    if (e == KG_OK) {
        r.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        e = r.fd >= 0 ? KG_OK : kg_fail(diag, KG_E_IO, "%s: %s", path, strerror(errno));
    }
    /* A torn last line must not swallow the next one. */
    if (e == KG_OK && lseek(r.fd, 0, SEEK_END) > 0 && write(r.fd, "\n", 1) != 1) {
        e = kg_fail(diag, KG_E_IO, "%s: %s", path, strerror(errno));
    }
    if (e != KG_OK) {
        roll_close(&r);
        return e;
    }
    *out = r;
    return KG_OK;
}

void roll_close(roll *r)
{
    for (size_t i = 0; r->items != NULL && i < r->count; i++) {
        explicit_bzero(r->items[i].digits, sizeof r->items[i].digits);
    }
    kg_arena_done(&r->mem);
    if (r->fd >= 0) {
        (void)close(r->fd);
    }
    *r = (roll){.fd = -1};
}

static bool append(const roll *r, const char *bytes, size_t n)
{
    return !KG_FAULT_FAILS("sms.roll.write") && write(r->fd, bytes, n) == (ssize_t)n;
}

kg_err roll_announce(roll *r, roll_entry *const *entries, size_t count, kg_diag *diag)
{
    kg_buf lines = {0};
    kg_err e = KG_OK;
    for (size_t i = 0; e == KG_OK && i < count; i++) {
        e = kg_buf_putf(&lines, "A %" PRIu64 "\n", entries[i]->mark);
    }
    if (e != KG_OK) {
        e = kg_fail(diag, e, "no memory for the record of a list");
    } else if (!append(r, lines.s, lines.len) || fdatasync(r->fd) != 0) {
        e = kg_fail(diag, KG_E_IO, "the record of the list cannot be written: %s", strerror(errno));
    }
    kg_buf_done(&lines);
    for (size_t i = 0; e == KG_OK && i < count; i++) {
        entries[i]->stand = STAND_ASKED;
    }
    return e;
}

static void note(const roll *r, const char *line)
{
    if (!append(r, line, strlen(line))) {
        kg_log(KG_WARNING, "roll.note", KG_TEXT("why", strerror(errno)));
    }
}

void roll_queued(roll *r, roll_entry *e)
{
    char line[LINE_MAX];
    e->stand = e->stand < STAND_QUEUED ? STAND_QUEUED : e->stand; /* the report may have been faster */
    (void)snprintf(line, sizeof line, "Q %" PRIu64 "\n", e->mark);
    note(r, line);
}

void roll_returned(roll *r, roll_entry *e)
{
    char line[LINE_MAX];
    e->stand = STAND_WAITING;
    (void)snprintf(line, sizeof line, "N %" PRIu64 "\n", e->mark);
    note(r, line);
}

void roll_stands(roll *r, roll_entry *e, dlr_stand stand)
{
    char line[LINE_MAX];
    e->stand = stand;
    e->sent = e->sent || stand == STAND_SENT || stand == STAND_DELIVERED;
    (void)snprintf(line, sizeof line, "S %" PRIu64 " %u\n", e->mark, (unsigned)stand);
    note(r, line);
}

roll_counts roll_count(const roll *r)
{
    roll_counts c = {0};
    for (size_t i = 0; i < r->count; i++) {
        const dlr_stand s = r->items[i].stand;
        c.waiting += s == STAND_WAITING ? 1U : 0U;
        c.asked += s == STAND_ASKED ? 1U : 0U;
        c.open += s == STAND_QUEUED || s == STAND_SENT || s == STAND_DOUBT ? 1U : 0U;
        c.sent += r->items[i].sent ? 1U : 0U;
        c.delivered += s == STAND_DELIVERED ? 1U : 0U;
        c.failed += s == STAND_FAILED ? 1U : 0U;
        c.refused += s == STAND_REFUSED ? 1U : 0U;
        c.doubt += s == STAND_QUEUED || s == STAND_SENT || s == STAND_DOUBT ? 1U : 0U;
    }
    return c;
}

#include "cap/refs.h"

#include <limits.h>
#include <string.h>

#include "base/clock.h"

enum { TIME_MAX = 40, FIELDS_MAX = 96 };
static const char blanks[] = " \t\n\r";

typedef struct span {
    const char *s;
    size_t n;
} span;

typedef struct refs {
    int assume_offset_min;
    kg_arena *mem;
    alert_refs *out;
    size_t room;
    unsigned slips;
    kg_err e;
} refs;

static span trimmed(const char *from, const char *to)
{
    while (from < to && strchr(blanks, *from) != NULL) {
        from++;
    }
    while (to > from && strchr(blanks, to[-1]) != NULL) {
        to--;
    }
    return (span){from, (size_t)(to - from)};
}

/* A field is a time when it reads as one, with or without a zone. */
static bool is_time(span f, int64_t *ms, unsigned *slips)
{
    char text[TIME_MAX];
    int offset = 0;
    if (f.n == 0 || f.n >= sizeof text) {
        return false;
    }
    memcpy(text, f.s, f.n);
    text[f.n] = '\0';
    return kg_time_read(text, 0, ms, &offset, slips) == KG_OK;
}

static void add(refs *r, span sender, span identifier, span sent)
{
    if (identifier.n == 0) {
        r->slips |= REFS_SHORT;
        return;
    }
    if (r->out->count == r->room || identifier.n > ALERT_NAME_MAX || sender.n > ALERT_NAME_MAX) {
        r->slips |= REFS_MANY;
        return;
    }
    alert_ref *ref = &r->out->items[r->out->count];
    ref->sender = kg_arena_strn(r->mem, sender.s, sender.n);
    ref->identifier = kg_arena_strn(r->mem, identifier.s, identifier.n);
    if (ref->sender == NULL || ref->identifier == NULL) {
        r->e = KG_E_NOMEM;
        return;
    }
    int64_t ms = 0;
    unsigned slips = 0;
    if (is_time(sent, &ms, &slips)) {
        const bool zoneless = (slips & KG_TIME_NO_ZONE) != 0;
        if (zoneless && r->assume_offset_min == INT_MIN) {
            ms = 0; /* better unknown than wrong by hours: matched by sender and identifier */
        } else if (zoneless) {
            ms -= (int64_t)r->assume_offset_min * 60000;
        }
        r->slips |= (slips & ~(unsigned)KG_TIME_PLUS_ZERO) != 0 ? REFS_TIME : 0U;
    }
    ref->sent_ms = ms > 0 ? ms / 1000 * 1000 : 0; /* whole seconds, as in the identity of an alert */
    r->slips |= sender.n == 0 || ref->sent_ms == 0 ? REFS_SHORT : 0U;
    r->out->count++;
}

static size_t split(const char *from, const char *to, span fields[FIELDS_MAX])
{
    size_t n = 0;
    while (n < FIELDS_MAX) {
        const char *comma = memchr(from, ',', (size_t)(to - from));
        fields[n++] = trimmed(from, comma != NULL ? comma : to);
        if (comma == NULL) {
            break;
        }
        from = comma + 1;
    }
    return n;
}

/* One word without a time in it: "sender,identifier" or "identifier". */
static void loose_words(refs *r, const char *from, const char *to)
{
    static const span none = {"", 0};
    while (from < to) {
        from += strspn(from, blanks);
        size_t n = strcspn(from, blanks);
        if (from >= to) {
            return;
        }
        n = n < (size_t)(to - from) ? n : (size_t)(to - from);
        span f[FIELDS_MAX];
        const size_t count = split(from, from + n, f);
        if (count >= 2) {
            add(r, f[0], f[1], count > 2 ? f[2] : none);
        } else {
            add(r, none, f[0], none);
        }
        from += n;
    }
}

/* A stretch of text whose last field is a time, perhaps with more triples joined before it. */
static void stretch(refs *r, const char *from, const char *to)
{
    span f[FIELDS_MAX];
    const size_t count = split(from, to, f);
    size_t begin = 0;
    if (count == FIELDS_MAX) {
        r->slips |= REFS_MANY;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t ms = 0;
        unsigned slips = 0;
        if (!is_time(f[i], &ms, &slips)) {
            continue;
        }
        const size_t before = i - begin;
        r->slips |= begin > 0 ? REFS_JOINED : 0U;
        if (before == 2) {
            add(r, f[begin], f[begin + 1], f[i]);
        } else if (before == 1) {
            add(r, (span){"", 0}, f[begin], f[i]);
        } else if (before > 2) {
            /* Words without a time stand before the triple: its sender begins behind the last blank. */
            const char *words_end = f[i - 2].s + f[i - 2].n;
            const char *sender = words_end;
            while (sender > f[begin].s && strchr(blanks, sender[-1]) == NULL && sender[-1] != ',') {
                sender--;
            }
            loose_words(r, f[begin].s, sender);
            add(r, trimmed(sender, words_end), f[i - 1], f[i]);
        }
        begin = i + 1;
    }
    if (begin < count) {
        r->slips |= REFS_SHORT; /* something behind the last time */
    }
}

/* No text holds more references than it has separators and one. */
static size_t room_for(const char *text)
{
    size_t n = 1;
    for (const char *p = text; *p != '\0' && n < ALERT_LIST_MAX; p++) {
        n += *p == ',' || strchr(blanks, *p) != NULL ? 1 : 0;
    }
    return n;
}

kg_err refs_read(const char *text, int assume_offset_min, kg_arena *mem, alert_refs *out, unsigned *slips)
{
    refs r = {.assume_offset_min = assume_offset_min, .mem = mem, .out = out, .room = room_for(text)};
    out->count = 0;
    out->items = kg_arena_array(mem, r.room, sizeof *out->items);
    if (out->items == NULL) {
        return KG_E_NOMEM;
    }
    const char *from = text;
    const char *p = text + strspn(text, blanks);
    while (*p != '\0') {
        const size_t n = strcspn(p, blanks);
        const char *last = p + n;
        while (last > p && last[-1] != ',') {
            last--;
        }
        int64_t ms = 0;
        unsigned ignored = 0;
        if (is_time((span){last, (size_t)(p + n - last)}, &ms, &ignored)) {
            stretch(&r, from, p + n);
            from = p + n;
        }
        p += n;
        p += strspn(p, blanks);
    }
    loose_words(&r, from, p);
    *slips = r.slips;
    return r.e;
}

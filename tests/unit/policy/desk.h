/*
 * desk - what the tests of this room share: a folder with a small province in it, and alerts made from a few words.
 *
 * The small province 90: communes 10001 A, 10002 B (xã), 10003 C (phường); 10009 is retired into 10001. Province 91 has
 * one commune, 20001 N.
 */
#ifndef KENG_TESTS_POLICY_DESK_H
#define KENG_TESTS_POLICY_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "policy/route.h"

static const char desk_communes[] = "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor\n"
                                    "10001\tA\txã\t90\t2025-07-01\t\t\n"
                                    "10002\tB\txã\t90\t2025-07-01\t\t\n"
                                    "10003\tC\tphường\t90\t2025-07-01\t\t\n"
                                    "10009\tO\txã\t90\t2025-07-01\t2026-01-31\t10001\n"
                                    "20001\tN\txã\t91\t2025-07-01\t\t\n";

static const char desk_stations[] = "id\tname\tmedium\tareas\ttype\tlanguages\tperson\taudience\n"
                                    "90.10001.loa\tLoa A\tloudspeaker\t10001\t\t\t\t\n"
                                    "90.10002.loa\tLoa B\tloudspeaker\t10002\tmanual\t\tTrưởng thôn B\t\n"
                                    "90.10003.loa\tLoa C\tloudspeaker\t10003\tip\tvi\t\t\n"
                                    "90.radio\tPhát thanh\tradio\t90\t\t\t\t\n"
                                    "90.tv\tTruyền hình\ttv\t90\t\t\t\t\n"
                                    "90.sms.mot\tNhà mạng\tsms\t90 91\t\t\t\t\n"
                                    "90.sms.can-bo\tCán bộ\tsms\t90\t\t\t\tofficials\n"
                                    "91.20001.loa\tLoa N\tloudspeaker\t20001\t\t\t\t\n";

static const char desk_policy[] =
    "province: \"90\"\n"                                                                   /* 1 */
    "name: tỉnh thử\n"                                                                     /* 2 */
    "stations: stations.tsv\n"                                                             /* 3 */
    "sectors:\n"                                                                           /* 4 */
    "  - {id: disaster, name: Thiên tai, lead: ubnd-tinh, basis: L1}\n"                    /* 5 */
    "  - {id: health, name: Y tế, lead: so-y-te, basis: L1}\n"                             /* 6 */
    "agencies:\n"                                                                          /* 7 */
    "  - {id: ubnd-tinh, name: UBND tỉnh, areas: [\"90\"], sectors: [\"*\"],\n"            /* 8 */
    "     class_max: urgent, first_warning: true, basis: L2}\n"                            /* 9 */
    "  - {id: so-y-te, name: Sở Y tế, areas: [\"90\"], sectors: [health],\n"               /* 10 */
    "     class_max: urgent, first_warning: true, basis: L2}\n"                            /* 11 */
    "  - {id: ubnd, name: UBND, each_commune: true, sectors: [\"*\"],\n"                   /* 12 */
    "     class_max: urgent, first_warning: true, basis: L2}\n"                            /* 13 */
    "classes:\n"                                                                           /* 14 */
    "  - {class: routine, default_ttl_minutes: 1440, basis: L3}\n"                         /* 15 */
    "  - {class: priority, default_ttl_minutes: 720, basis: L3}\n"                         /* 16 */
    "  - {class: urgent, default_ttl_minutes: 360, basis: L3}\n"                           /* 17 */
    "media:\n"                                                                             /* 18 */
    "  - {medium: loudspeaker, class: routine, mode: offer, basis: L4}\n"                  /* 19 */
    "  - {medium: loudspeaker, class: priority, mode: next, basis: L4}\n"                  /* 20 */
    "  - {medium: loudspeaker, class: urgent, mode: interrupt, basis: L5}\n"               /* 21 */
    "  - {medium: radio, class: priority, mode: next, basis: L4}\n"                        /* 22 */
    "  - {medium: radio, class: urgent, mode: interrupt, basis: L4}\n"                     /* 23 */
    "  - {medium: tv, class: priority, mode: crawl, basis: L4}\n"                          /* 24 */
    "  - {medium: tv, class: urgent, mode: interrupt, basis: L4}\n"                        /* 25 */
    "  - {medium: sms, class: urgent, mode: interrupt, basis: L4}\n"                       /* 26 */
    "news: {hours: [\"18:00\", \"06:00\"], basis: L6}\n"                                   /* 27 */
    "repeats:\n"                                                                           /* 28 */
    "  - {id: wave, media: [loudspeaker, radio], event_codes: [\"CAP-VN:event=wave\"],\n"  /* 29 */
    "     events: [sóng thần], after_minutes: [5, 10], every_minutes: 20, basis: L7}\n"    /* 30 */
    "  - {id: quake, media: [radio], events: [động đất], at_next_news: true, basis: L7}\n" /* 31 */
    "  - {id: flood, media: [radio], classes: [priority], events: [lũ],\n"                 /* 32 */
    "     every_minutes: 120, on_the_hour: true, basis: L7}\n"                             /* 33 */
    "  - {id: end, when: end, media: [radio], after_minutes: [10, 120],\n"                 /* 34 */
    "     at_next_news: true, basis: L7}\n"                                                /* 35 */
    "  - {id: any, media: [loudspeaker, radio], classes: [urgent], every_minutes: 120,\n"  /* 36 */
    "     basis: L7}\n"                                                                    /* 37 */
    "languages:\n"                                                                         /* 38 */
    "  - {language: km, areas: [\"10001\"], wanted: always, basis: L8}\n"                  /* 39 */
    "  - {language: km, areas: [\"90\"], wanted: when-written, basis: L8}\n"               /* 40 */
    "  - {language: rad, areas: [\"10002\"], wanted: when-written, basis: L8}\n"           /* 41 */
    "drills:\n"                                                                            /* 42 */
    "  - {status: exercise, media: [loudspeaker, sms], public_sms: false, basis: L9}\n"    /* 43 */
    "signatures:\n"                                                                        /* 44 */
    "  enforced: true\n"                                                                   /* 45 */
    "  first_warning: 1\n"                                                                 /* 46 */
    "  basis: L10\n"                                                                       /* 47 */
    "  rules:\n"                                                                           /* 48 */
    "    - {id: wide, class_min: urgent, over_communes: 1, needed: 2, basis: L10}\n"       /* 49 */
    "    - {id: extreme, severity_min: extreme, needed: 3, basis: L10}\n";                 /* 50 */

typedef struct desk {
    char folder[64];
    areas *ar;
    policy *p;
} desk;

static inline void desk_write(const desk *d, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", d->folder, name);
    kg_diag diag = {{0}};
    if (kg_file_replace(path, text, strlen(text), 0600, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
}

static inline desk desk_open(void)
{
    desk d = {.folder = "/tmp/keng-policy-XXXXXX"};
    assert_non_null(mkdtemp(d.folder));
    desk_write(&d, "communes.tsv", desk_communes);
    desk_write(&d, "stations.tsv", desk_stations);
    char path[128];
    kg_diag diag = {{0}};
    (void)snprintf(path, sizeof path, "%s/communes.tsv", d.folder);
    if (areas_load(path, &d.ar, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    return d;
}

static inline kg_err desk_try(desk *d, const char *yaml, kg_diag *diag)
{
    char path[128];
    policy_free(&d->p);
    desk_write(d, "policy.yaml", yaml);
    (void)snprintf(path, sizeof path, "%s/policy.yaml", d->folder);
    return policy_load(path, d->ar, &d->p, diag);
}

static inline void desk_load(desk *d, const char *yaml)
{
    kg_diag diag = {{0}};
    if (desk_try(d, yaml, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
}

static inline void desk_close(desk *d)
{
    static const char *const names[] = {"communes.tsv", "stations.tsv", "policy.yaml"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", d->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(d->folder);
    policy_free(&d->p);
    areas_free(&d->ar);
}

/* text with its first `from` replaced; freed by the caller. */
static inline char *desk_edit(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (at == NULL) {
        fail_msg("nothing to edit: %s", from);
    }
    const size_t n = strlen(text) + strlen(to) + 1;
    char *out = malloc(n);
    assert_non_null(out);
    (void)snprintf(out, n, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

/* ---- alerts ---- */

#define DESK_NOW INT64_C(1779337800000) /* 2026-05-21 11:30 in Viet Nam */

/* A few words of an alert; what is left out is an ordinary one. Lists are words with blanks between them. */
typedef struct words {
    const char *areas;              /* codes; NULL none */
    const char *languages;          /* NULL: "vi"; "" no info at all */
    const char *event, *event_code; /* the code's value */
    const char *worst;
    bulletin_class class;
    cap_status status;
    cap_msg_type type;
    cap_scope scope;
    cap_severity severity;
    bool first_warning, all_clear;
    const char *hold;
    int64_t expires_ms; /* 0: the default */
} words;

enum { WORDS_MAX = 16 };

typedef struct made {
    alert a;
    char text[512];
    size_t used;
    const char *worst[WORDS_MAX];
    alert_pair codes[WORDS_MAX], event_code;
    alert_area area;
    alert_info infos[WORDS_MAX];
} made;

static inline size_t made_split(made *m, const char *list, const char *out[WORDS_MAX])
{
    size_t n = 0;
    for (const char *s = list; s != NULL && *s != '\0';) {
        const size_t len = strcspn(s, " ");
        assert_true(n < WORDS_MAX && m->used + len + 1 < sizeof m->text);
        memcpy(m->text + m->used, s, len);
        out[n++] = m->text + m->used;
        m->used += len + 1; /* zeroed behind it */
        s += len + strspn(s + len, " ");
    }
    return n;
}

static inline void make(made *m, const words *w)
{
    const char *list[WORDS_MAX];
    memset(m, 0, sizeof *m);
    alert *a = &m->a;
    *a = (alert){.identifier = "x",
                 .sender = "so",
                 .sent_ms = DESK_NOW,
                 .sent_offset_min = 420,
                 .status = w->status,
                 .msg_type = w->type,
                 .scope = w->scope,
                 .source = "",
                 .restriction = "",
                 .note = "",
                 .agency = "",
                 .sector = "",
                 .bulletin_class = w->class,
                 .first_warning = w->first_warning,
                 .hold = w->hold != NULL ? w->hold : "",
                 .expires_ms = w->expires_ms};
    const size_t areas_count_ = made_split(m, w->areas, list);
    for (size_t i = 0; i < areas_count_; i++) {
        m->codes[i] = (alert_pair){strlen(list[i]) == 5 ? AREAS_COMMUNE : AREAS_PROVINCE, list[i]};
    }
    m->area = (alert_area){.description = "nơi thử", .geocodes = {m->codes, areas_count_}};
    m->event_code = (alert_pair){"CAP-VN:event", w->event_code};
    const size_t n = made_split(m, w->languages != NULL ? w->languages : "vi", list);
    for (size_t i = 0; i < n; i++) {
        m->infos[i] = (alert_info){.language = list[i],
                                   .event = w->event != NULL ? w->event : "",
                                   .severity = w->severity,
                                   .responses = w->all_clear ? 1u << CAP_ALLCLEAR : 0,
                                   .event_codes = {&m->event_code, w->event_code != NULL},
                                   .areas = {&m->area, 1}};
    }
    a->infos.items = m->infos;
    a->infos.count = n;
    a->worst_hit.items = m->worst;
    a->worst_hit.count = made_split(m, w->worst, m->worst);
}

/* "a b c" */
static inline const char *made_join(const alert_texts *t, char out[256])
{
    out[0] = '\0';
    for (size_t i = 0; i < t->count; i++) {
        const size_t at = strlen(out);
        (void)snprintf(out + at, 256 - at, "%s%s", i > 0 ? " " : "", t->items[i]);
    }
    return out;
}

/* "300 600/1200" or "1800/" or "/7200h" (on the hour) or "/" */
static inline const char *made_repeat(const policy_repeat *r, char out[256])
{
    out[0] = '\0';
    for (size_t i = 0; i < r->after_count; i++) {
        const size_t at = strlen(out);
        (void)snprintf(out + at, 256 - at, "%s%u", i > 0 ? " " : "", r->after_s[i]);
    }
    const size_t at = strlen(out);
    char every[16] = "";
    if (r->every_s > 0) {
        (void)snprintf(every, sizeof every, "%u", r->every_s);
    }
    (void)snprintf(out + at, 256 - at, "/%s%s", every, r->on_the_hour ? "h" : "");
    return out;
}

static inline const plan_line *plan_find(const plan *p, const char *id)
{
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->lines[i].station->id, id) == 0) {
            return &p->lines[i];
        }
    }
    return NULL;
}

#endif

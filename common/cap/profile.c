#include "cap/profile.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "text/text.h"

typedef enum key {
    /* of the whole alert */
    K_CLASS,
    K_SECTOR,
    K_AGENCY,
    K_RISK,
    K_CIVIL_LEVEL,
    K_CIVIL_DECISION,
    K_PHASE,
    K_EMERGENCY,
    K_FIRST_WARNING,
    K_NEXT_BULLETIN,
    K_WORST_HIT,
    K_ALERT_COUNT,
    /* of one info */
    K_SMS = K_ALERT_COUNT,
    K_SMS_ACCENTED,
    K_SPEECH,
    K_CRAWL,
    K_COUNT
} key;
static const char *const names[K_COUNT] = {
    [K_CLASS] = "CAP-VN:class",
    [K_SECTOR] = "CAP-VN:sector",
    [K_AGENCY] = "CAP-VN:agency",
    [K_RISK] = "CAP-VN:risk-level",
    [K_CIVIL_LEVEL] = "CAP-VN:civil-defence-level",
    [K_CIVIL_DECISION] = "CAP-VN:civil-defence-decision",
    [K_PHASE] = "CAP-VN:phase",
    [K_EMERGENCY] = "CAP-VN:emergency-instrument",
    [K_FIRST_WARNING] = "CAP-VN:first-warning",
    [K_NEXT_BULLETIN] = "CAP-VN:next-bulletin",
    [K_WORST_HIT] = "CAP-VN:worst-hit",
    [K_SMS] = "CAP-VN:sms",
    [K_SMS_ACCENTED] = "CAP-VN:sms-accented",
    [K_SPEECH] = "CAP-VN:speech",
    [K_CRAWL] = "CAP-VN:crawl",
};
enum { SENTENCE_MAX = 256, COMMUNE_DIGITS = 5, PREFIX = 7 };

typedef struct profile {
    alert *a;
    profile_finding fn;
    void *ctx;
    const char *values[K_ALERT_COUNT];
    kg_err e;
} profile;

static void tell(profile *p, cap_verdict v, const char *name, const char *value, const char *what)
{
    char sentence[SENTENCE_MAX];
    (void)snprintf(sentence, sizeof sentence, "The parameter %.40s \"%.60s\" %s.", name, value, what);
    const size_t n = strlen(sentence);
    sentence[kg_utf8_floor(sentence, n, n)] = '\0';
    p->fn(p->ctx, "CAP-VN", v, sentence);
}

static key key_of(const char *name)
{
    key k = 0;
    while (k < K_COUNT && strcmp(name, names[k]) != 0) {
        k++;
    }
    return k;
}

/* Text that must fit one GSM-7 message; a longer one stays a parameter and is not sent. */
static const char *one_sms(profile *p, const char *value)
{
    sms_size size;
    if (sms_measure(value, &size) == KG_OK && size.coding == SMS_GSM7 && size.parts <= 1) {
        return value;
    }
    tell(p, CAP_WARN, names[K_SMS], value,
         "is not unaccented text of at most 160 characters; it is not sent as written");
    return "";
}

static void take(profile *p, alert_info *info, const alert_pair *pair)
{
    const char **texts[] = {&info->sms, &info->sms_accented, &info->speech, &info->crawl};
    const key k = key_of(pair->name);
    if (k == K_COUNT) {
        tell(p, CAP_WARN, pair->name, pair->value, "is not known in the CAP-VN profile; it is kept");
        return;
    }
    if (k >= K_ALERT_COUNT) {
        *texts[k - K_ALERT_COUNT] = k == K_SMS ? one_sms(p, pair->value) : pair->value;
        return;
    }
    if (p->values[k] == NULL) {
        p->values[k] = pair->value;
    } else if (strcmp(p->values[k], pair->value) != 0) {
        tell(p, CAP_HOLD, pair->name, pair->value,
             "contradicts what the message says before; a person must say which one counts");
    }
}

static unsigned number(profile *p, key k, unsigned most)
{
    const char *s = p->values[k];
    if (s == NULL) {
        return 0;
    }
    if (s[0] >= '1' && s[0] <= (char)('0' + most) && s[1] == '\0') {
        return (unsigned)(s[0] - '0');
    }
    char what[80];
    (void)snprintf(what, sizeof what, "is not a number from 1 to %u; it counts as not given", most);
    tell(p, CAP_WARN, names[k], s, what);
    return 0;
}

static const char *name_text(profile *p, key k)
{
    const char *s = p->values[k];
    if (s != NULL && strlen(s) > ALERT_NAME_MAX) {
        tell(p, CAP_WARN, names[k], s, "is too long; it counts as not given");
        s = NULL;
    }
    return s != NULL ? s : "";
}

static void read_class(profile *p, unsigned *given)
{
    const char *s = p->values[K_CLASS];
    const int c = s != NULL ? bulletin_class_read(s) : -1;
    if (c >= 0) {
        p->a->bulletin_class = (bulletin_class)c;
        *given |= PROFILE_CLASS;
    } else if (s != NULL) {
        tell(p, CAP_HOLD, names[K_CLASS], s,
             "is none of routine, priority, urgent; a person must say how urgent it is");
    }
}

static bool read_flag(profile *p, key k)
{
    static const char *const yes[] = {"true", "yes", "1", "có"};
    static const char *const no[] = {"false", "no", "0", "không"};
    const char *s = p->values[k];
    for (size_t i = 0; s != NULL && i < sizeof yes / sizeof yes[0]; i++) {
        if (strcasecmp(s, yes[i]) == 0) {
            return true;
        }
        if (strcasecmp(s, no[i]) == 0) {
            return false;
        }
    }
    if (s != NULL) {
        tell(p, CAP_WARN, names[k], s, "is neither true nor false; it counts as false");
    }
    return false;
}

static int64_t read_moment(profile *p, key k)
{
    int64_t ms = 0;
    int offset = 0;
    unsigned slips = 0;
    const char *s = p->values[k];
    if (s == NULL) {
        return 0;
    }
    if (kg_time_read(s, 0, &ms, &offset, &slips) != KG_OK || ms <= 0 || (slips & KG_TIME_NO_ZONE) != 0) {
        tell(p, CAP_WARN, names[k], s, "is not a time like 2026-03-20T14:05:00+07:00; it counts as not given");
        return 0;
    }
    return ms;
}

/* Commune codes, worst first, between blanks or commas. */
static void read_worst_hit(profile *p)
{
    static const char between[] = " ,;\n\t";
    const char *s = p->values[K_WORST_HIT];
    alert_texts *out = &p->a->worst_hit;
    if (s == NULL) {
        return;
    }
    out->items = kg_arena_array(&p->a->mem, strlen(s) / 2 + 1, sizeof *out->items);
    for (s += strspn(s, between); *s != '\0' && out->items != NULL; s += strspn(s, between)) {
        const size_t n = strcspn(s, between);
        if (n != COMMUNE_DIGITS || strspn(s, "0123456789") < n || out->count == ALERT_LIST_MAX) {
            tell(p, CAP_WARN, names[K_WORST_HIT], s,
                 "does not list commune codes of five digits; that entry is left out");
        } else {
            out->items[out->count] = kg_arena_strn(&p->a->mem, s, n);
            p->e = out->items[out->count] != NULL ? p->e : KG_E_NOMEM;
            out->count++;
        }
        s += n;
    }
    p->e = out->items != NULL ? p->e : KG_E_NOMEM;
}

kg_err profile_read(alert *a, unsigned *given, profile_finding fn, void *ctx)
{
    profile p = {.a = a, .fn = fn, .ctx = ctx, .e = KG_OK};
    for (size_t i = 0; i < a->infos.count; i++) {
        alert_info *info = &a->infos.items[i];
        for (size_t k = 0; k < info->parameters.count; k++) {
            if (strncmp(info->parameters.items[k].name, "CAP-VN:", PREFIX) == 0) {
                take(&p, info, &info->parameters.items[k]);
            }
        }
    }
    *given = 0;
    read_class(&p, given);
    a->sector = name_text(&p, K_SECTOR);
    a->agency = name_text(&p, K_AGENCY);
    *given |= (*a->sector != '\0' ? PROFILE_SECTOR : 0U) | (*a->agency != '\0' ? PROFILE_AGENCY : 0U);
    a->risk_level = number(&p, K_RISK, ALERT_RISK_LEVELS);
    a->civil_defence_level = number(&p, K_CIVIL_LEVEL, ALERT_CIVIL_DEFENCE_LEVELS);
    a->civil_defence_decision = name_text(&p, K_CIVIL_DECISION);
    a->phase = number(&p, K_PHASE, ALERT_PHASES);
    a->emergency_instrument = name_text(&p, K_EMERGENCY);
    a->first_warning = read_flag(&p, K_FIRST_WARNING);
    a->next_bulletin_ms = read_moment(&p, K_NEXT_BULLETIN);
    read_worst_hit(&p);
    return p.e;
}

/* writing */

typedef struct writer {
    alert *a;
    alert_pairs *out;
    kg_err e;
} writer;

static void put(writer *w, key k, const char *value)
{
    if (*value == '\0' || w->e != KG_OK) {
        return;
    }
    char *copy = kg_arena_str(&w->a->mem, value);
    if (copy == NULL) {
        w->e = KG_E_NOMEM;
        return;
    }
    w->out->items[w->out->count++] = (alert_pair){names[k], copy};
}

static void put_number(writer *w, key k, unsigned n)
{
    char text[12];
    (void)snprintf(text, sizeof text, "%u", n);
    put(w, k, n != 0 ? text : "");
}

static void put_worst_hit(writer *w)
{
    kg_buf b = {0};
    for (size_t i = 0; i < w->a->worst_hit.count; i++) {
        kg_ignore(kg_buf_putf(&b, "%s%s", i > 0 ? " " : "", w->a->worst_hit.items[i])); /* looked at below */
    }
    w->e = w->e == KG_OK ? kg_buf_failed(&b) : w->e;
    put(w, K_WORST_HIT, kg_buf_str(&b));
    kg_buf_done(&b);
}

static void put_scales(writer *w, const alert_info *info)
{
    const alert *a = w->a;
    char moment[KG_TIME_TEXT_MAX] = "";
    if (a->next_bulletin_ms != 0) {
        kg_time_text(a->next_bulletin_ms, a->sent_offset_min, moment);
    }
    put(w, K_CLASS, bulletin_class_text(a->bulletin_class));
    put(w, K_SECTOR, a->sector);
    put(w, K_AGENCY, a->agency);
    put_number(w, K_RISK, a->risk_level);
    put_number(w, K_CIVIL_LEVEL, a->civil_defence_level);
    put(w, K_CIVIL_DECISION, a->civil_defence_decision);
    put_number(w, K_PHASE, a->phase);
    put(w, K_EMERGENCY, a->emergency_instrument);
    put(w, K_FIRST_WARNING, a->first_warning ? "true" : "");
    put(w, K_NEXT_BULLETIN, moment);
    put_worst_hit(w);
    put(w, K_SMS, info->sms);
    put(w, K_SMS_ACCENTED, info->sms_accented);
    put(w, K_SPEECH, info->speech);
    put(w, K_CRAWL, info->crawl);
}

static kg_err write_info(alert *a, alert_info *info)
{
    alert_pairs made = {.items = kg_arena_array(&a->mem, info->parameters.count + K_COUNT, sizeof *made.items)};
    if (made.items == NULL) {
        return KG_E_NOMEM;
    }
    for (size_t i = 0; i < info->parameters.count; i++) {
        if (strncmp(info->parameters.items[i].name, "CAP-VN:", PREFIX) != 0) {
            made.items[made.count++] = info->parameters.items[i];
        }
    }
    writer w = {.a = a, .out = &made, .e = KG_OK};
    put_scales(&w, info);
    if (w.e == KG_OK) {
        info->parameters = made;
    }
    return w.e;
}

static kg_err write_code(alert *a)
{
    for (size_t i = 0; i < a->codes.count; i++) {
        if (strcmp(a->codes.items[i], CAP_VN_CODE) == 0) {
            return KG_OK;
        }
    }
    const char **items = kg_arena_array(&a->mem, a->codes.count + 1, sizeof *items);
    if (items == NULL) {
        return KG_E_NOMEM;
    }
    for (size_t i = 0; i < a->codes.count; i++) {
        items[i] = a->codes.items[i];
    }
    items[a->codes.count] = CAP_VN_CODE;
    a->codes = (alert_texts){items, a->codes.count + 1};
    return KG_OK;
}

kg_err profile_write(alert *a)
{
    kg_err e = write_code(a);
    for (size_t i = 0; i < a->infos.count && e == KG_OK; i++) {
        e = write_info(a, &a->infos.items[i]);
    }
    return e;
}

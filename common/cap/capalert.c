#include <string.h>

#include "cap/capmap.h"
#include "cap/profile.h"
#include "cap/refs.h"

typedef enum child {
    A_IDENTIFIER,
    A_SENDER,
    A_SENT,
    A_STATUS,
    A_MSG_TYPE,
    A_SOURCE,
    A_SCOPE,
    A_RESTRICTION,
    A_ADDRESSES,
    A_CODE,
    A_NOTE,
    A_REFERENCES,
    A_INCIDENTS,
    A_INFO
} child;
static const char *const names[] = {"identifier", "sender",     "sent",        "status",    "msgType",
                                    "source",     "scope",      "restriction", "addresses", "code",
                                    "note",       "references", "incidents",   "info",      NULL};
static const uint32_t many = 1U << A_CODE | 1U << A_INFO;

/* Who sent which message: without these there is nothing to refer to and nothing to guard against repeats. */
static void read_identity(capmap *m, const xmlNode *root, const capmap_children *c)
{
    alert *a = &m->doc->alert;
    a->identifier = capmap_token(m, c->first[A_IDENTIFIER]);
    a->sender = capmap_token(m, c->first[A_SENDER]);
    const struct {
        child at;
        const char *value;
    } names_of[] = {{A_IDENTIFIER, a->identifier}, {A_SENDER, a->sender}};
    for (size_t i = 0; i < 2; i++) {
        const child at = names_of[i].at;
        const char *value = names_of[i].value;
        if (*value == '\0') {
            capmap_find(m, root, "ALT-1", CAP_REFUSE, "<%s> is missing; nobody could refer to this message.",
                        names[at]);
        } else if (strlen(value) > ALERT_NAME_MAX) {
            capmap_find(m, c->first[at], "DOC-9", CAP_REFUSE, "<%s> is longer than %d bytes.", names[at],
                        ALERT_NAME_MAX);
        } else if (strchr(value, ',') != NULL) {
            capmap_find(m, c->first[at], "ALT-1", CAP_HOLD,
                        "<%s> \"%.80s\" has a comma, so no later message can refer to it; let the author send it anew.",
                        names[at], value);
        } else if (strpbrk(value, " <&") != NULL) {
            capmap_find(m, c->first[at], "ALT-1", CAP_WARN,
                        "<%s> \"%.80s\" has a blank, < or &; use letters, digits and . - _ @.", names[at], value);
        }
    }
    if (c->first[A_SENT] == NULL) {
        capmap_find(m, root, "ALT-3", CAP_REFUSE, "<sent> is missing; write when the message was sent.");
    }
    a->sent_ms = capmap_time(m, c->first[A_SENT], "sent", &a->sent_offset_min);
    const char *oid = strncmp(a->identifier, "urn:oid:", 8) == 0 ? a->identifier + 8 : a->identifier;
    if (strncmp(oid, "2.49.0.", 7) == 0 && strncmp(oid + 7, "0.", 2) != 0 && strncmp(oid + 7, "1.", 2) != 0) {
        capmap_find(m, c->first[A_IDENTIFIER], "ALT-14", CAP_WARN,
                    "The identifier looks like a WMO one but is under neither 2.49.0.0 nor 2.49.0.1.");
    }
}

/* A word of a closed list that decides where the message goes: never guessed. */
static int required_word(capmap *m, const xmlNode *root, const capmap_children *c, child at, int (*read)(const char *))
{
    const char *s = capmap_token(m, c->first[at]);
    const char *rule = at == A_STATUS ? "ALT-6" : "ALT-7";
    if (*s == '\0') {
        capmap_find(m, root, rule, CAP_REFUSE, "<%s> is missing; it decides who may get this message.", names[at]);
        return 0;
    }
    const int v = read(s);
    if (v < 0 || c->times[at] > 1) {
        capmap_find(m, c->first[at], rule, CAP_REFUSE, "<%s> \"%.40s\" %s.", names[at], s,
                    v < 0 ? "is not a word of CAP" : "stands more than once; which one counts cannot be known");
        return 0;
    }
    return v;
}

static void read_scope(capmap *m, const xmlNode *root, const capmap_children *c)
{
    alert *a = &m->doc->alert;
    const char *s = capmap_token(m, c->first[A_SCOPE]);
    const int v = cap_scope_read(s);
    a->scope = v >= 0 && c->times[A_SCOPE] == 1 ? (cap_scope)v : CAP_PRIVATE;
    if (v < 0 || c->times[A_SCOPE] > 1) {
        capmap_find(m, root, "ALT-8", CAP_HOLD,
                    "<scope> \"%.40s\" is none of Public, Restricted, Private; it is taken as Private.", s);
    } else if (a->scope == CAP_RESTRICTED && *a->restriction == '\0') {
        capmap_find(m, c->first[A_SCOPE], "ALT-8", CAP_HOLD,
                    "The scope is Restricted but <restriction> does not say to whom.");
    } else if (a->scope == CAP_PRIVATE && a->addresses.count == 0) {
        capmap_find(m, c->first[A_SCOPE], "ALT-8", CAP_HOLD, "The scope is Private but <addresses> names nobody.");
    }
    if (a->scope != CAP_RESTRICTED && *a->restriction != '\0') {
        capmap_find(m, c->first[A_RESTRICTION], "ALT-8", CAP_WARN, "<restriction> is for scope Restricted only.");
    }
}

/* Names between white space; one with white space in it stands in quotes. */
static alert_texts quoted_list(capmap *m, const xmlNode *node)
{
    const char *s = capmap_token(m, node);
    alert_texts out = {0};
    size_t most = 1;
    for (const char *p = s; *p != '\0'; p++) {
        most += *p == ' ' ? 1 : 0;
    }
    out.items = *s != '\0' ? capmap_array(m, most, sizeof *out.items) : NULL;
    for (const char *p = s; out.items != NULL && *p != '\0';) {
        const bool quoted = *p == '"' && strchr(p + 1, '"') != NULL;
        p += quoted ? 1 : 0;
        const size_t n = strcspn(p, quoted ? "\"" : " ");
        const char *item = kg_arena_strn(&m->doc->alert.mem, p, n);
        m->nomem = m->nomem || item == NULL;
        if (n > 0 && item != NULL) {
            out.items[out.count++] = item;
        }
        p += n + (quoted ? 1 : 0);
        p += strspn(p, " ");
    }
    return out;
}

static void read_codes(capmap *m, const capmap_children *c)
{
    alert *a = &m->doc->alert;
    a->codes.items = capmap_array(m, c->times[A_CODE], sizeof *a->codes.items);
    for (const xmlNode *n = c->first[A_CODE]; n != NULL && a->codes.items != NULL; n = capmap_next(n)) {
        a->codes.items[a->codes.count++] = capmap_token(m, n);
    }
}

static bool refers_to_itself(const alert *a, const alert_ref *r)
{
    return strcmp(r->identifier, a->identifier) == 0 && (*r->sender == '\0' || strcmp(r->sender, a->sender) == 0) &&
           (r->sent_ms == 0 || r->sent_ms >= a->sent_ms);
}

static void check_references(capmap *m, const xmlNode *node)
{
    alert *a = &m->doc->alert;
    size_t kept = 0;
    for (size_t i = 0; i < a->references.count; i++) {
        const alert_ref *r = &a->references.items[i];
        if (refers_to_itself(a, r)) {
            capmap_find(m, node, "ALT-9", CAP_WARN, "The message refers to itself; that reference is ignored.");
            continue;
        }
        if (a->sent_ms != 0 && r->sent_ms > a->sent_ms) {
            capmap_find(m, node, "ALT-9", CAP_WARN, "The message refers to \"%.80s\", which was sent later.",
                        r->identifier);
        }
        a->references.items[kept++] = *r;
    }
    a->references.count = kept;
}

static void read_references(capmap *m, const xmlNode *root, const xmlNode *node)
{
    alert *a = &m->doc->alert;
    unsigned slips = 0;
    if (node != NULL) {
        const char *s = capmap_token(m, node);
        m->nomem = m->nomem || refs_read(s, m->assume_offset_min, &a->mem, &a->references, &slips) != KG_OK;
    }
    if ((slips & (REFS_JOINED | REFS_SHORT | REFS_TIME)) != 0) {
        capmap_find(m, node, "ALT-9", CAP_WARN,
                    "<references> is not in CAP's form (sender,identifier,sent and a blank between messages); read as "
                    "far as it tells.");
    }
    if ((slips & REFS_MANY) != 0) {
        capmap_find(m, node, "ALT-9", CAP_HOLD,
                    "<references> is longer than can be read; some messages it ends would go on.");
    }
    check_references(m, node);
    if (a->references.count == 0 && a->msg_type == CAP_UPDATE) {
        capmap_find(m, root, "ALT-10", CAP_WARN,
                    "The Update does not say what it updates; it is taken as a new alert.");
    } else if (a->references.count == 0 && a->msg_type != CAP_ALERT) {
        capmap_find(m, root, "ALT-10", CAP_REFUSE,
                    "The %s does not say which message it is about; name it in <references>.",
                    cap_msg_type_text(a->msg_type));
    }
}

static void read_infos(capmap *m, const xmlNode *root, const capmap_children *c)
{
    alert *a = &m->doc->alert;
    if (c->times[A_INFO] > ALERT_INFOS_MAX) {
        capmap_find(m, root, "DOC-9", CAP_REFUSE, "There are more than %d <info> blocks.", ALERT_INFOS_MAX);
        return;
    }
    a->infos.items = capmap_array(m, c->times[A_INFO], sizeof *a->infos.items);
    for (const xmlNode *n = c->first[A_INFO]; n != NULL && a->infos.items != NULL; n = capmap_next(n)) {
        capinfo_read(m, n, &a->infos.items[a->infos.count++]);
    }
    const bool tells_people = (a->msg_type == CAP_ALERT || a->msg_type == CAP_UPDATE) && a->status != CAP_SYSTEM;
    if (a->infos.count == 0 && tells_people) {
        capmap_find(m, root, "ALT-13", CAP_HOLD, "There is no <info>, so there is nothing to tell people.");
    }
    capinfo_across(m);
}

typedef struct found {
    capmap *m;
    const xmlNode *root;
} found;

static void profile_found(void *ctx, const char *rule, cap_verdict v, const char *sentence)
{
    const found *f = ctx;
    capmap_find(f->m, f->root, rule, v, "%s", sentence);
}

void capalert_read(capmap *m, const xmlNode *root)
{
    alert *a = &m->doc->alert;
    capmap_children c;
    capmap_sort(m, root, names, many, &c);
    read_identity(m, root, &c);
    a->status = (cap_status)required_word(m, root, &c, A_STATUS, cap_status_read);
    a->msg_type = (cap_msg_type)required_word(m, root, &c, A_MSG_TYPE, cap_msg_type_read);
    a->source = capmap_text(m, c.first[A_SOURCE]);
    a->restriction = capmap_text(m, c.first[A_RESTRICTION]);
    a->addresses = quoted_list(m, c.first[A_ADDRESSES]);
    read_codes(m, &c);
    a->note = capmap_text(m, c.first[A_NOTE]);
    a->incidents = quoted_list(m, c.first[A_INCIDENTS]);
    read_scope(m, root, &c);
    read_references(m, root, c.first[A_REFERENCES]);
    read_infos(m, root, &c);
    unsigned given = 0;
    found f = {m, root};
    m->nomem = m->nomem || profile_read(a, &given, profile_found, &f) != KG_OK;
}

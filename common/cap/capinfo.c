#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "cap/capmap.h"
#include "text/text.h"

typedef enum child {
    I_LANGUAGE,
    I_CATEGORY,
    I_EVENT,
    I_RESPONSE,
    I_URGENCY,
    I_SEVERITY,
    I_CERTAINTY,
    I_AUDIENCE,
    I_EVENT_CODE,
    I_EFFECTIVE,
    I_ONSET,
    I_EXPIRES,
    I_SENDER_NAME,
    I_HEADLINE,
    I_DESCRIPTION,
    I_INSTRUCTION,
    I_WEB,
    I_CONTACT,
    I_PARAMETER,
    I_RESOURCE,
    I_AREA
} child;
static const char *const names[] = {
    "language",  "category",  "event",     "responseType", "urgency",    "severity", "certainty",   "audience",
    "eventCode", "effective", "onset",     "expires",      "senderName", "headline", "description", "instruction",
    "web",       "contact",   "parameter", "resource",     "area",       NULL};
static const uint32_t many =
    1U << I_CATEGORY | 1U << I_RESPONSE | 1U << I_EVENT_CODE | 1U << I_PARAMETER | 1U << I_RESOURCE | 1U << I_AREA;
enum { HEADLINE_AIM = 160 };
static const char any_file[] = "application/octet-stream";

/* "en_US", " PT ", "english" to "en-US", "pt", "en": lower-case language, upper-case region, capital script. */
static void tidy_tag(const char *in, char out[ALERT_TAG_MAX + 1])
{
    static const struct {
        const char *name, *tag;
    } spelled[] = {{"english", "en"}, {"vietnamese", "vi"}, {"khmer", "km"}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof spelled / sizeof spelled[0]; i++) {
        in = strcasecmp(in, spelled[i].name) == 0 ? spelled[i].tag : in;
    }
    for (; *in != '\0' && n < ALERT_TAG_MAX; in++) {
        const char c = *in == '_' ? '-' : *in;
        if (isalnum((unsigned char)c) || (c == '-' && n > 0 && out[n - 1] != '-')) {
            out[n++] = (char)tolower((unsigned char)c);
        }
    }
    while (n > 0 && out[n - 1] == '-') {
        n--;
    }
    out[n] = '\0';
    for (char *part = strchr(out, '-'); part != NULL; part = strchr(part + 1, '-')) {
        const size_t len = strcspn(part + 1, "-");
        for (size_t i = 1; i <= len; i++) {
            const bool raised = len == 2 || (len == 4 && i == 1 && !isdigit((unsigned char)part[1]));
            part[i] = raised ? (char)toupper((unsigned char)part[i]) : part[i];
        }
    }
}

static bool is_tag(const char *tag)
{
    size_t part = 0;
    for (const char *p = tag; *p != '\0'; p++) {
        part = *p == '-' ? 0 : part + 1;
        if (part > 8) {
            return false;
        }
    }
    return tag[0] != '\0' && isalpha((unsigned char)tag[0]) && isalpha((unsigned char)tag[1]);
}

static const char *read_language(capmap *m, const xmlNode *node)
{
    if (node == NULL) {
        return "en-US"; /* what CAP says absence means */
    }
    const char *s = capmap_token(m, node);
    char tag[ALERT_TAG_MAX + 1];
    tidy_tag(s, tag);
    if (!is_tag(tag)) {
        capmap_find(m, node, "INF-1", CAP_WARN,
                    "The language \"%.40s\" is no BCP 47 tag; it is kept as undetermined (und).", s);
        return "und";
    }
    if (strcasecmp(s, tag) != 0) {
        capmap_find(m, node, "INF-1", CAP_WARN, "The language \"%.40s\" is taken as \"%s\"; write it so.", s, tag);
    }
    const char *copy = kg_arena_str(&m->doc->alert.mem, tag);
    m->nomem = m->nomem || copy == NULL;
    return copy != NULL ? copy : "und";
}

static uint32_t read_bits(capmap *m, const xmlNode *first, int (*read)(const char *))
{
    uint32_t bits = 0;
    for (const xmlNode *n = first; n != NULL; n = capmap_next(n)) {
        const char *s = capmap_token(m, n);
        const int v = read(s);
        if (v >= 0) {
            bits |= 1U << v;
        } else {
            capmap_find(m, n, "INF-3", CAP_WARN, "<%s> \"%.40s\" is not a word of CAP and is left out.", n->name, s);
        }
    }
    return bits;
}

/* Unknown is 0 in all three scales. */
static int read_scale(capmap *m, const xmlNode *info, const xmlNode *node, const char *name, int (*read)(const char *))
{
    const char *s = capmap_token(m, node);
    const int v = read(s);
    if (v < 0) {
        capmap_find(m, node != NULL ? node : info, "INF-3", CAP_WARN,
                    "<%s> \"%.40s\" is missing or no word of CAP; it is taken as Unknown.", name, s);
    }
    return v < 0 ? 0 : v;
}

/* CAP 1.0 wrote "name=value"; some still do. */
static void plain_pair(capmap *m, const xmlNode *node, alert_pair *out)
{
    const char *s = capmap_text(m, node);
    const char *sign = strchr(s, '=');
    const char *name = sign != NULL ? kg_arena_strn(&m->doc->alert.mem, s, (size_t)(sign - s)) : "";
    m->nomem = m->nomem || name == NULL;
    *out = (alert_pair){name != NULL ? name : "", sign != NULL ? sign + 1 : s};
    if (m->version != CAP_1_0) {
        capmap_find(m, node, "DOC-6", CAP_WARN,
                    "<%s> has text where <valueName> and <value> belong; \"%.60s\" is kept.", node->name, s);
    }
}

static bool has_elements(const xmlNode *node)
{
    const xmlNode *c = node->children;
    while (c != NULL && c->type != XML_ELEMENT_NODE) {
        c = c->next;
    }
    return c != NULL;
}

static void read_pair(capmap *m, const xmlNode *node, alert_pair *out)
{
    static const char *const pair_names[] = {"valueName", "value", NULL};
    capmap_children c;
    if (!has_elements(node)) {
        plain_pair(m, node, out);
        return;
    }
    capmap_sort(m, node, pair_names, 0, &c);
    out->name = capmap_token(m, c.first[0]);
    out->value = capmap_text(m, c.first[1]);
    if (c.first[0] == NULL) {
        capmap_find(m, node, "INF-9", CAP_WARN, "<%s> has no <valueName>.", node->name);
    }
}

void capinfo_pairs(capmap *m, const xmlNode *first, size_t times, alert_pairs *out)
{
    out->items = capmap_array(m, times, sizeof *out->items);
    for (const xmlNode *n = first; n != NULL && out->items != NULL; n = capmap_next(n)) {
        read_pair(m, n, &out->items[out->count++]);
    }
}

static uint64_t read_size(capmap *m, const xmlNode *node)
{
    const char *s = capmap_token(m, node);
    uint64_t size = 0;
    for (const char *p = s; *p != '\0'; p++) {
        if (!isdigit((unsigned char)*p) || size > UINT32_MAX) {
            capmap_find(m, node, "RES-1", CAP_WARN, "The size \"%.30s\" is not a number of bytes; it is left out.", s);
            return 0;
        }
        size = size * 10 + (uint64_t)(*p - '0');
    }
    return size;
}

static void read_resource(capmap *m, const xmlNode *node, alert_resource *out)
{
    enum { R_DESC, R_MIME, R_SIZE, R_URI, R_DEREF, R_DIGEST };
    static const char *const resource_names[] = {"resourceDesc", "mimeType", "size", "uri", "derefUri", "digest", NULL};
    capmap_children c;
    capmap_sort(m, node, resource_names, 0, &c);
    out->description = capmap_text(m, c.first[R_DESC]);
    out->mime_type = capmap_token(m, c.first[R_MIME]);
    out->size = read_size(m, c.first[R_SIZE]);
    out->uri = capmap_token(m, c.first[R_URI]);
    out->digest = capmap_token(m, c.first[R_DIGEST]);
    if (*out->description == '\0' || *out->mime_type == '\0') {
        capmap_find(m, node, "RES-1", CAP_WARN, "A resource has no <%s>; say what it is.",
                    *out->description == '\0' ? "resourceDesc" : "mimeType");
    }
    out->mime_type = *out->mime_type != '\0' ? out->mime_type : any_file;
    if (c.first[R_URI] == NULL && c.first[R_DEREF] == NULL) {
        capmap_find(m, node, "RES-1", CAP_WARN, "A resource has neither <uri> nor <derefUri>, so nobody can get it.");
    }
    if (c.first[R_DEREF] != NULL) {
        capmap_find(m, c.first[R_DEREF], "RES-2", CAP_WARN,
                    "The file embedded in <derefUri> is not passed on; the original keeps it, its text is told.");
    }
    if (strlen(out->mime_type) > ALERT_NAME_MAX || strlen(out->digest) > ALERT_NAME_MAX) {
        capmap_find(m, node, "RES-1", CAP_WARN, "A resource's type or digest is far too long; it is left out.");
        out->mime_type = any_file;
        out->digest = "";
    }
}

static void read_resources(capmap *m, const xmlNode *first, size_t times, alert_info *out)
{
    out->resources.items = capmap_array(m, times, sizeof *out->resources.items);
    for (const xmlNode *n = first; n != NULL && out->resources.items != NULL; n = capmap_next(n)) {
        read_resource(m, n, &out->resources.items[out->resources.count++]);
    }
}

static void read_areas(capmap *m, const xmlNode *first, size_t times, alert_info *out)
{
    out->areas.items = capmap_array(m, times, sizeof *out->areas.items);
    for (const xmlNode *n = first; n != NULL && out->areas.items != NULL; n = capmap_next(n)) {
        caparea_read(m, n, &out->areas.items[out->areas.count++]);
    }
}

static size_t characters(const char *s)
{
    size_t n = 0;
    for (; *s != '\0'; s++) {
        n += ((unsigned char)*s & 0xC0U) != 0x80 ? 1 : 0;
    }
    return n;
}

static bool absolute(const char *uri)
{
    const char *p = uri;
    while (isalnum((unsigned char)*p) || (p > uri && strchr("+-.", *p) != NULL && *p != '\0')) {
        p++;
    }
    return p > uri && *p == ':' && p[1] != '\0' && strchr(uri, ' ') == NULL;
}

static void check_times(capmap *m, const xmlNode *node, const alert_info *i)
{
    const int64_t from = i->effective_ms != 0 ? i->effective_ms : m->doc->alert.sent_ms;
    if (i->expires_ms != 0 && i->expires_ms < from) {
        capmap_find(m, node, "INF-6", CAP_WARN,
                    "The message expires before it takes effect; it would never be played.");
    }
    if (i->expires_ms != 0 && i->onset_ms > i->expires_ms) {
        capmap_find(m, node, "INF-6", CAP_WARN, "The message expires before the event begins (onset).");
    }
}

static void check_texts(capmap *m, const xmlNode *node, const alert_info *i, const capmap_children *c)
{
    if (characters(i->headline) > HEADLINE_AIM) {
        capmap_find(m, c->first[I_HEADLINE], "INF-8", CAP_WARN, "The headline has %zu characters; aim at %d or less.",
                    characters(i->headline), HEADLINE_AIM);
    }
    if (*i->web != '\0' && !absolute(i->web)) {
        capmap_find(m, c->first[I_WEB], "INF-10", CAP_WARN,
                    "<web> \"%.60s\" is not a full address like https://example.vn/.", i->web);
    }
    const char *const said[] = {i->headline, i->description, i->instruction};
    for (size_t k = 0; k < sizeof said / sizeof said[0]; k++) {
        if (!text_fits_language(said[k], i->language)) {
            capmap_find(m, node, "INF-11", CAP_WARN,
                        "The text is not in the script of its language \"%s\"; the tag or the text is wrong.",
                        i->language);
            return;
        }
    }
}

void capinfo_read(capmap *m, const xmlNode *node, alert_info *out)
{
    capmap_children c;
    capmap_sort(m, node, names, many, &c);
    out->language = read_language(m, c.first[I_LANGUAGE]);
    out->categories = read_bits(m, c.first[I_CATEGORY], cap_category_read);
    if (out->categories == 0) {
        capmap_find(m, node, "INF-3", CAP_WARN, "There is no <category> of CAP; it is taken as Other.");
        out->categories = 1U << CAP_OTHER;
    }
    out->event = capmap_text(m, c.first[I_EVENT]);
    if (*out->event == '\0') {
        capmap_find(m, node, "DOC-6", CAP_WARN, "<event> is missing; say in a few words what happens.");
    }
    out->responses = read_bits(m, c.first[I_RESPONSE], cap_response_read);
    out->urgency = (cap_urgency)read_scale(m, node, c.first[I_URGENCY], "urgency", cap_urgency_read);
    out->severity = (cap_severity)read_scale(m, node, c.first[I_SEVERITY], "severity", cap_severity_read);
    out->certainty = (cap_certainty)read_scale(m, node, c.first[I_CERTAINTY], "certainty", cap_certainty_read);
    out->audience = capmap_text(m, c.first[I_AUDIENCE]);
    capinfo_pairs(m, c.first[I_EVENT_CODE], c.times[I_EVENT_CODE], &out->event_codes);
    out->effective_ms = capmap_time(m, c.first[I_EFFECTIVE], "effective", &out->effective_offset_min);
    out->onset_ms = capmap_time(m, c.first[I_ONSET], "onset", &out->onset_offset_min);
    out->expires_ms = capmap_time(m, c.first[I_EXPIRES], "expires", &out->expires_offset_min);
    out->sender_name = capmap_text(m, c.first[I_SENDER_NAME]);
    out->headline = capmap_text(m, c.first[I_HEADLINE]);
    out->description = capmap_text(m, c.first[I_DESCRIPTION]);
    out->instruction = capmap_text(m, c.first[I_INSTRUCTION]);
    out->web = capmap_token(m, c.first[I_WEB]);
    out->contact = capmap_text(m, c.first[I_CONTACT]);
    capinfo_pairs(m, c.first[I_PARAMETER], c.times[I_PARAMETER], &out->parameters);
    out->sms = out->sms_accented = out->speech = out->crawl = ""; /* profile_read */
    read_resources(m, c.first[I_RESOURCE], c.times[I_RESOURCE], out);
    read_areas(m, c.first[I_AREA], c.times[I_AREA], out);
    check_times(m, node, out);
    check_texts(m, node, out, &c);
}

static bool same_pairs(const alert_pairs *a, const alert_pairs *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i].name, b->items[i].name) != 0 || strcmp(a->items[i].value, b->items[i].value) != 0) {
            return false;
        }
    }
    return true;
}

static bool same_tongue(const char *a, const char *b)
{
    const size_t n = strcspn(a, "-");
    return n == strcspn(b, "-") && strncasecmp(a, b, n) == 0;
}

static bool any_place(const alert *a)
{
    for (size_t i = 0; i < a->infos.count; i++) {
        for (size_t k = 0; k < a->infos.items[i].areas.count; k++) {
            const alert_area *r = &a->infos.items[i].areas.items[k];
            if (r->polygons.count + r->circles.count + r->geocodes.count > 0) {
                return true;
            }
        }
    }
    return false;
}

void capinfo_across(capmap *m)
{
    const alert *a = &m->doc->alert;
    bool differs = false;
    bool copied = false;
    for (size_t i = 1; i < a->infos.count; i++) {
        const alert_info *one = &a->infos.items[0];
        const alert_info *other = &a->infos.items[i];
        differs = differs || one->categories != other->categories || one->effective_ms != other->effective_ms ||
                  one->onset_ms != other->onset_ms || one->expires_ms != other->expires_ms ||
                  !same_pairs(&one->event_codes, &other->event_codes);
        for (size_t k = 0; k < i; k++) {
            const alert_info *before = &a->infos.items[k];
            copied = copied || (*other->description != '\0' && strcmp(before->description, other->description) == 0 &&
                                !same_tongue(before->language, other->language));
        }
    }
    if (differs) {
        capmap_find(m, NULL, "INF-4", CAP_WARN,
                    "The <info> blocks differ in category, event codes or times; all should agree.");
    }
    if (copied) {
        capmap_find(m, NULL, "INF-11", CAP_WARN,
                    "Two <info> blocks of different languages have the same text; one tag is wrong.");
    }
    if (a->infos.count > 0 && (a->msg_type == CAP_ALERT || a->msg_type == CAP_UPDATE) && !any_place(a)) {
        capmap_find(m, NULL, "ARE-9", CAP_WARN,
                    "No area has a code, polygon or circle; the router will hold the message until a person says for "
                    "whom it is.");
    }
}

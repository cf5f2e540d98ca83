#include "alert/alert.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "base/hex.h"
#include "text/text.h"

void alert_init(alert *a)
{
    *a = (alert){.identifier = "",
                 .sender = "",
                 .source = "",
                 .restriction = "",
                 .note = "",
                 .agency = "",
                 .sector = "",
                 .civil_defence_decision = "",
                 .emergency_instrument = "",
                 .hold = ""};
}

void alert_done(alert *a)
{
    if (a == NULL) {
        return;
    }
    kg_arena_done(&a->mem);
    memset(a, 0, sizeof *a);
}

static void hash_text(crypto_generichash_state *st, const char *s)
{
    (void)crypto_generichash_update(st, (const unsigned char *)s, strlen(s) + 1); /* NUL parts the fields */
}

alert_id alert_id_of(const char *sender, const char *identifier, int64_t sent_ms)
{
    /* Whole seconds, rounded down: a fraction is a slip of the writer and must not make another alert. */
    const int64_t sent_s = sent_ms / 1000 - (sent_ms % 1000 < 0 ? 1 : 0);
    char number[24];
    const int n = snprintf(number, sizeof number, "%" PRId64, sent_s);
    crypto_generichash_state st;
    alert_id id = {{0}};
    (void)crypto_generichash_init(&st, NULL, 0, sizeof id.b);
    hash_text(&st, sender);
    hash_text(&st, identifier);
    (void)crypto_generichash_update(&st, (const unsigned char *)number, (unsigned)(n > 0 ? n : 0));
    (void)crypto_generichash_final(&st, id.b, sizeof id.b);
    return id;
}

void alert_id_text(alert_id id, char out[ALERT_ID_TEXT])
{
    kg_hex(id.b, sizeof id.b, out);
}

bool alert_id_read(const char *text, alert_id *id)
{
    return kg_hex_read(text, id->b, sizeof id->b);
}

bool alert_id_same(alert_id a, alert_id b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

alert_hash alert_hash_of(const void *bytes, size_t n)
{
    alert_hash h = {{0}};
    (void)crypto_generichash(h.b, sizeof h.b, bytes, n, NULL, 0);
    return h;
}

static size_t primary_len(const char *language)
{
    return strcspn(language, "-");
}

const alert_info *alert_info_for(const alert *a, const char *language)
{
    const size_t n = primary_len(language);
    const alert_info *near = NULL;
    for (size_t i = 0; i < a->infos.count; i++) {
        const alert_info *info = &a->infos.items[i];
        if (strcasecmp(info->language, language) == 0) {
            return info;
        }
        if (near == NULL && primary_len(info->language) == n && strncasecmp(info->language, language, n) == 0) {
            near = info;
        }
    }
    return near;
}

int64_t alert_latest_end(const alert *a)
{
    int64_t end_ms = 0;
    for (size_t i = 0; i < a->infos.count; i++) {
        const int64_t info_ms = a->infos.items[i].expires_ms;
        if (info_ms == 0) {
            return 0;
        }
        end_ms = info_ms > end_ms ? info_ms : end_ms;
    }
    return end_ms;
}

cap_severity alert_severity(const alert *a)
{
    cap_severity most = CAP_SEVERITY_UNKNOWN;
    for (size_t i = 0; i < a->infos.count; i++) {
        if (a->infos.items[i].severity > most) {
            most = a->infos.items[i].severity;
        }
    }
    return most;
}

/* Compares ignoring case and surrounding white space; the words themselves hold no white space. */
static int word_read(const char *s, const char *const *words, int count)
{
    while (isspace((unsigned char)*s)) {
        s++;
    }
    size_t n = strlen(s);
    while (n > 0 && isspace((unsigned char)s[n - 1])) {
        n--;
    }
    for (int i = 0; i < count; i++) {
        if (strlen(words[i]) == n && strncasecmp(s, words[i], n) == 0) {
            return i;
        }
    }
    return -1;
}

#define COUNT_OF(words) ((int)(sizeof(words) / sizeof(words)[0]))
#define WORDS(type, name, count, ...)                                                                                  \
    static const char *const name##_words[] = {__VA_ARGS__};                                                           \
    _Static_assert(COUNT_OF(name##_words) == (count), "one word an enumerator");                                       \
    const char *name##_text(type v)                                                                                    \
    {                                                                                                                  \
        return (unsigned)v < (count) ? name##_words[v] : "";                                                           \
    }

WORDS(cap_status, cap_status, CAP_STATUS_COUNT, "Actual", "Exercise", "System", "Test", "Draft")
WORDS(cap_msg_type, cap_msg_type, CAP_MSG_TYPE_COUNT, "Alert", "Update", "Cancel", "Ack", "Error")
WORDS(cap_scope, cap_scope, CAP_SCOPE_COUNT, "Public", "Restricted", "Private")
WORDS(cap_category, cap_category, CAP_CATEGORY_COUNT, "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health",
      "Env", "Transport", "Infra", "CBRNE", "Other")
WORDS(cap_response, cap_response, CAP_RESPONSE_COUNT, "Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor",
      "Assess", "AllClear", "None")
WORDS(cap_urgency, cap_urgency, CAP_URGENCY_COUNT, "Unknown", "Past", "Future", "Expected", "Immediate")
WORDS(cap_severity, cap_severity, CAP_SEVERITY_COUNT, "Unknown", "Minor", "Moderate", "Severe", "Extreme")
WORDS(cap_certainty, cap_certainty, CAP_CERTAINTY_COUNT, "Unknown", "Unlikely", "Possible", "Likely", "Observed")
WORDS(bulletin_class, bulletin_class, CLASS_COUNT, "routine", "priority", "urgent")

int cap_status_read(const char *s)
{
    return word_read(s, cap_status_words, CAP_STATUS_COUNT);
}

int cap_msg_type_read(const char *s)
{
    return word_read(s, cap_msg_type_words, CAP_MSG_TYPE_COUNT);
}

int cap_scope_read(const char *s)
{
    return word_read(s, cap_scope_words, CAP_SCOPE_COUNT);
}

int cap_category_read(const char *s)
{
    return word_read(s, cap_category_words, CAP_CATEGORY_COUNT);
}

int cap_response_read(const char *s)
{
    return word_read(s, cap_response_words, CAP_RESPONSE_COUNT);
}

int cap_urgency_read(const char *s)
{
    return word_read(s, cap_urgency_words, CAP_URGENCY_COUNT);
}

int cap_severity_read(const char *s)
{
    return word_read(s, cap_severity_words, CAP_SEVERITY_COUNT);
}

int cap_certainty_read(const char *s)
{
    static const char *const old[] = {"Very Likely"};
    return word_read(s, old, 1) == 0 ? CAP_CERTAINTY_LIKELY : word_read(s, cap_certainty_words, CAP_CERTAINTY_COUNT);
}

const char *bulletin_class_vi(bulletin_class c)
{
    static const char *const words[CLASS_COUNT] = {"thông thường", "ưu tiên", "khẩn cấp"};
    return (unsigned)c < CLASS_COUNT ? words[c] : "";
}

int bulletin_class_read(const char *s)
{
    static const char *const digits[] = {"0", "1", "2"};
    static const char *const plain[] = {"thong thuong", "uu tien", "khan cap"};
    static const char *const *const sets[] = {bulletin_class_words, digits, plain};
    kg_buf folded = {0};
    int c = -1;
    if (text_fold(s, &folded) == KG_OK) {
        for (size_t i = 0; i < sizeof sets / sizeof sets[0] && c < 0; i++) {
            c = word_read(kg_buf_str(&folded), sets[i], CLASS_COUNT);
        }
    }
    kg_buf_done(&folded);
    return c;
}

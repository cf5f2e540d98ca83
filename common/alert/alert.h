/*
 * alert - one warning as plain values: the content of a CAP 1.2 message and the scales Vietnamese law adds.
 *
 * Shape     Everything a pointer reaches lives in the alert's arena. Text is UTF-8 in NFC, never NULL: absent = "".
 *           Lists are (items, count). Times are *_ms, UTC; 0 absent; *_offset_min the zone they were written in.
 * Owns      alert_done releases all of it. An alert is immutable once signed.
 * Rules     The scales (class, risk level, civil-defence level, phase, emergency) are never derived from one another.
 * Source    CAP 1.2 (OASIS); Circular 39/2020/TT-BTTTT (class); Decision 18/2021/QD-TTg (risk level); Law 18/2023/QH15
 *           (civil-defence level).
 */
#ifndef KENG_ALERT_ALERT_H
#define KENG_ALERT_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum {
    ALERT_ID_BYTES = 16,
    ALERT_HASH_BYTES = 32,
    ALERT_PAYLOAD_MAX = 2 * 1024 * 1024, /* cap.md DOC-9 */
    ALERT_INFOS_MAX = 32,
    ALERT_AREAS_MAX = 4096, /* in all infos */
    ALERT_CODES_MAX = 8192, /* geocodes in all areas */
    ALERT_LIST_MAX = 1024,  /* any other list */
    ALERT_NAME_MAX = 1024,  /* bytes of an identifier, a sender, an agency, the number of a decision */
    ALERT_TAG_MAX = 64,     /* bytes of a language tag, an altitude */
    ALERT_SMS_MAX = 160,
    ALERT_RISK_LEVELS = 5,
    ALERT_CIVIL_DEFENCE_LEVELS = 3,
    ALERT_PHASES = 3
};

typedef enum cap_status { CAP_ACTUAL, CAP_EXERCISE, CAP_SYSTEM, CAP_TEST, CAP_DRAFT, CAP_STATUS_COUNT } cap_status;
typedef enum cap_msg_type { CAP_ALERT, CAP_UPDATE, CAP_CANCEL, CAP_ACK, CAP_ERROR, CAP_MSG_TYPE_COUNT } cap_msg_type;
typedef enum cap_scope { CAP_PUBLIC, CAP_RESTRICTED, CAP_PRIVATE, CAP_SCOPE_COUNT } cap_scope;
typedef enum cap_category {
    CAP_GEO,
    CAP_MET,
    CAP_SAFETY,
    CAP_SECURITY,
    CAP_RESCUE,
    CAP_FIRE,
    CAP_HEALTH,
    CAP_ENV,
    CAP_TRANSPORT,
    CAP_INFRA,
    CAP_CBRNE,
    CAP_OTHER,
    CAP_CATEGORY_COUNT
} cap_category;
typedef enum cap_response {
    CAP_SHELTER,
    CAP_EVACUATE,
    CAP_PREPARE,
    CAP_EXECUTE,
    CAP_AVOID,
    CAP_MONITOR,
    CAP_ASSESS,
    CAP_ALLCLEAR,
    CAP_NONE,
    CAP_RESPONSE_COUNT
} cap_response;
/* Rising order of weight, so that a comparison reads as it sounds; Unknown is lowest. */
typedef enum cap_urgency {
    CAP_URGENCY_UNKNOWN,
    CAP_URGENCY_PAST,
    CAP_URGENCY_FUTURE,
    CAP_URGENCY_EXPECTED,
    CAP_URGENCY_IMMEDIATE,
    CAP_URGENCY_COUNT
} cap_urgency;
typedef enum cap_severity {
    CAP_SEVERITY_UNKNOWN,
    CAP_SEVERITY_MINOR,
    CAP_SEVERITY_MODERATE,
    CAP_SEVERITY_SEVERE,
    CAP_SEVERITY_EXTREME,
    CAP_SEVERITY_COUNT
} cap_severity;
typedef enum cap_certainty {
    CAP_CERTAINTY_UNKNOWN,
    CAP_CERTAINTY_UNLIKELY,
    CAP_CERTAINTY_POSSIBLE,
    CAP_CERTAINTY_LIKELY,
    CAP_CERTAINTY_OBSERVED,
    CAP_CERTAINTY_COUNT
} cap_certainty;

/* Bulletin class of Circular 39/2020: the only scale that decides queueing and pre-emption. */
typedef enum bulletin_class { CLASS_ROUTINE, CLASS_PRIORITY, CLASS_URGENT, CLASS_COUNT } bulletin_class;

typedef struct alert_id {
    uint8_t b[ALERT_ID_BYTES];
} alert_id;

typedef struct alert_hash {
    uint8_t b[ALERT_HASH_BYTES];
} alert_hash;

enum { ALERT_ID_TEXT = 2 * ALERT_ID_BYTES + 1 };

typedef struct alert_texts {
    const char **items;
    size_t count;
} alert_texts;
typedef struct alert_pair {
    const char *name, *value;
} alert_pair;
typedef struct alert_pairs {
    alert_pair *items;
    size_t count;
} alert_pairs;
typedef struct alert_ref {
    const char *sender; /* "" and 0: the document left them out; match on what is there (ALT-9) */
    const char *identifier;
    int64_t sent_ms;
} alert_ref;
typedef struct alert_refs {
    alert_ref *items;
    size_t count;
} alert_refs;

typedef struct alert_resource {
    const char *description, *mime_type, *uri, *digest;
    uint64_t size;
    bool carried; /* hash is set: Keng has the file */
    alert_hash hash;
} alert_resource;

typedef struct alert_area {
    const char *description;
    alert_texts polygons; /* "lat,lon lat,lon ..." as written, white space collapsed */
    alert_texts circles;  /* "lat,lon radius" */
    alert_pairs geocodes;
    const char *altitude, *ceiling;
} alert_area;

typedef struct alert_info {
    const char *language; /* BCP 47; absent in CAP = "en-US" */
    uint32_t categories;  /* bit (1u << cap_category) */
    const char *event;
    uint32_t responses; /* bit (1u << cap_response) */
    cap_urgency urgency;
    cap_severity severity;
    cap_certainty certainty;
    const char *audience;
    alert_pairs event_codes;
    int64_t effective_ms, onset_ms, expires_ms;
    int effective_offset_min, onset_offset_min, expires_offset_min;
    const char *sender_name, *headline, *description, *instruction, *web, *contact;
    alert_pairs parameters; /* those of the CAP-VN profile too, as written */
    struct {
        alert_resource *items;
        size_t count;
    } resources;
    struct {
        alert_area *items;
        size_t count;
    } areas;
    const char *sms, *sms_accented, *speech, *crawl; /* the author's ready texts */
} alert_info;

typedef struct alert {
    kg_arena mem;
    const char *identifier, *sender;
    int64_t sent_ms;
    int sent_offset_min;
    cap_status status;
    cap_msg_type msg_type;
    cap_scope scope;
    const char *source, *restriction, *note;
    alert_texts addresses, codes, incidents;
    alert_refs references;
    struct {
        alert_info *items;
        size_t count;
    } infos;

    const char *agency, *sector;
    bulletin_class bulletin_class;
    unsigned risk_level, civil_defence_level, phase; /* 0 not given */
    const char *civil_defence_decision, *emergency_instrument;
    bool first_warning;
    int64_t next_bulletin_ms;
    alert_texts worst_hit;
    int64_t expires_ms;
    const char *hold; /* why the publisher's checks ask for a person to look first; "" none */

    bool has_source; /* written as CAP XML: source_hash names the original bytes */
    alert_hash source_hash;
    uint64_t source_bytes;
} alert;

void alert_done(alert *a);

/* A new alert with every text "" and every list empty. */
void alert_init(alert *a);

/* BLAKE2b-128 of sender, NUL, identifier, NUL, sent in whole UTC seconds (decimal): the CAP triple. */
alert_id alert_id_of(const char *sender, const char *identifier, int64_t sent_ms);
static inline alert_id alert_own_id(const alert *a)
{
    return alert_id_of(a->sender, a->identifier, a->sent_ms);
}
void alert_id_text(alert_id id, char out[ALERT_ID_TEXT]);
bool alert_id_read(const char *text, alert_id *id);
bool alert_id_same(alert_id a, alert_id b);

/* BLAKE2b-256 of any bytes. */
alert_hash alert_hash_of(const void *bytes, size_t n);

/* The info whose language is best for `language`: exact, then same primary tag; NULL when there is none. */
const alert_info *alert_info_for(const alert *a, const char *language);
/* The latest `expires` over all infos: the alert lives until its last info has ended (INF-7). 0: an info states none. */
int64_t alert_latest_end(const alert *a);
/* Highest over all infos. */
cap_severity alert_severity(const alert *a);

/* Enumerators as CAP writes them ("Actual", "Immediate", ...) and back; -1 when the text is none of them.
 * Reading ignores case and surrounding white space (DOC-14). */
const char *cap_status_text(cap_status v);
const char *cap_msg_type_text(cap_msg_type v);
const char *cap_scope_text(cap_scope v);
const char *cap_category_text(cap_category v);
const char *cap_response_text(cap_response v);
const char *cap_urgency_text(cap_urgency v);
const char *cap_severity_text(cap_severity v);
const char *cap_certainty_text(cap_certainty v);
int cap_status_read(const char *s);
int cap_msg_type_read(const char *s);
int cap_scope_read(const char *s);
int cap_category_read(const char *s);
int cap_response_read(const char *s);
int cap_urgency_read(const char *s);
int cap_severity_read(const char *s);
int cap_certainty_read(const char *s);             /* takes 1.0's "Very Likely" as Likely */
const char *bulletin_class_text(bulletin_class v); /* "routine" "priority" "urgent" */
const char *bulletin_class_vi(bulletin_class c);   /* "thông thường" "ưu tiên" "khẩn cấp" */
int bulletin_class_read(const char *s);            /* either language, accents optional, or 0 1 2 */

#endif

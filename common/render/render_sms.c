/* A short message. The author's own text comes first; else one is proposed: the richest form that fits, and never one
 * that lost its place or its instruction. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "render/phrase.h"
#include "render/render.h"
#include "text/chars.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

typedef struct form {
    bool headline; /* else the event's name */
    bool whole;    /* the whole instruction, else its first sentence */
    bool time, issuer;
} form;

/* From the richest to the barest: event, place, first sentence of what to do, number to call. */
static const form forms[] = {
    {true, true, true, true},    {true, true, true, false},    {true, false, true, false},
    {false, false, true, false}, {false, false, false, false},
};

typedef struct wanted {
    const alert *a;
    const alert_info *info;
    bool plain;     /* unaccented GSM-7 */
    unsigned units; /* at most, with one part */
    unsigned parts;
} wanted;

/* "HỦY CẢNH BÁO: " before the first words, unless the author said it himself. */
static void put_lead(const wanted *w, const char *first, kg_buf *out)
{
    bool ending = false;
    const char *lead = phrase_lead(w->a, w->info, &ending);
    if (lead != NULL && !phrase_starts(first, lead)) {
        kg_ignore(kg_buf_putf(out, "%s: ", lead)); /* a failure marks the buffer */
    }
}

static void put_issue(const wanted *w, const form *f, kg_buf *out)
{
    char when[PHRASE_TIME_MAX];
    const bool vietnamese = phrase_is_vietnamese(w->info);
    kg_buf line = {0};
    if (f->time) {
        phrase_time(w->a->sent_ms, vietnamese, true, when);
        kg_ignore(kg_buf_puts(&line, when)); /* the same, checked below */
    }
    if (f->issuer && w->info->sender_name[0] != '\0') {
        kg_ignore(kg_buf_putf(&line, "%s%s", line.len > 0 ? ", " : "", w->info->sender_name)); /* the same */
    }
    phrase_sentence(kg_buf_str(&line), out);
    kg_buf_done(&line);
}

static void put_number_to_call(const wanted *w, kg_buf *out)
{
    const char *number = phrase_number(w->info);
    bool ending = false;
    (void)phrase_lead(w->a, w->info, &ending);
    if (ending || phrase_has(kg_buf_str(out), number)) {
        return;
    }
    char line[64];
    (void)snprintf(line, sizeof line, "%s%s", phrase_is_vietnamese(w->info) ? "Gọi " : "", number);
    phrase_sentence(line, out);
}

static void compose(const wanted *w, const form *f, kg_buf *out)
{
    const alert_info *info = w->info;
    const char *first = f->headline && info->headline[0] != '\0' ? info->headline : info->event;
    bool ending = false;
    (void)phrase_lead(w->a, info, &ending);
    kg_buf head = {0};
    kg_buf place = {0};
    kg_buf whole = {0};
    kg_buf what = {0};
    put_lead(w, first, &head);
    kg_ignore(kg_buf_puts(&head, first)); /* failures of these are seen below */
    phrase_sentence(kg_buf_str(&head), out);
    phrase_place(info, first, &place);
    phrase_sentence(kg_buf_str(&place), out);
    phrase_instruction(info, ending, &whole);
    if (f->whole) {
        phrase_sentence(kg_buf_str(&whole), out);
    } else {
        phrase_first(kg_buf_str(&whole), &what);
        phrase_sentence(kg_buf_str(&what), out);
    }
    put_issue(w, f, out);
    put_number_to_call(w, out);
    const kg_buf *all[] = {&head, &place, &whole, &what};
    for (size_t i = 0; i < COUNT(all); i++) {
        if (kg_buf_failed(all[i]) != KG_OK) {
            out->failed = kg_buf_failed(all[i]);
        }
    }
    kg_buf_done(&head);
    kg_buf_done(&place);
    kg_buf_done(&whole);
    kg_buf_done(&what);
}

/* The drill's marker first and last, unless it is there. */
static void mark(const wanted *w, const char *text, kg_buf *out)
{
    const char *drill = phrase_drill(w->a);
    if (drill == NULL) {
        kg_ignore(kg_buf_puts(out, text)); /* the author's 160 characters stay 160; a failure marks the buffer */
        return;
    }
    if (!phrase_starts(text, drill)) {
        phrase_sentence(drill, out);
    }
    phrase_sentence(text, out);
    if (!phrase_ends(text, drill)) {
        phrase_sentence(drill, out);
    }
}

/* Pictures and ornaments carry no words: they are left out, so that a warning sign does not cost the message. A letter
 * or figure that GSM lacks is an error. */
static kg_err leave_out_ornaments(const char *s, kg_buf *out)
{
    sms_size size;
    bool left_out = false;
    for (uint32_t cp = 0; *s != '\0';) {
        const size_t n = chars_at(s, &cp);
        char one[8] = "";
        memcpy(one, s, n);
        kg_err e = sms_measure(one, &size);
        const bool odd = e == KG_OK && size.first_odd != 0;
        const bool word = chars_is_letter(cp) || (cp >= 0x80 && chars_is_mark(cp)) || (cp >= 0x1780 && cp <= 0x17FF) ||
                          (cp >= 0x0E00 && cp <= 0x0EFF);
        const bool doubled = cp == ' ' && left_out && (out->len == 0 || out->s[out->len - 1] == ' ');
        left_out = odd || (left_out && doubled);
        if (e == KG_OK && odd && (word || cp < 0x80)) {
            e = KG_E_INVALID;
        } else if (e == KG_OK && !odd && !doubled) {
            e = kg_buf_put(out, s, n);
        }
        if (e != KG_OK) {
            return e;
        }
        s += n;
    }
    return KG_OK;
}

static kg_err to_plain(const char *text, kg_buf *out, kg_diag *diag)
{
    kg_buf bare = {0};
    kg_err e = text_unaccent(text, &bare);
    if (e == KG_OK) {
        e = leave_out_ornaments(kg_buf_str(&bare), out);
    }
    kg_buf_done(&bare);
    if (e == KG_E_INVALID) {
        return kg_fail(diag, e,
                       "Tin nhắn không dấu không viết được: bản tin có chữ ngoài bảng chữ La-tinh. "
                       "Hãy soạn riêng phần tin nhắn (sms).");
    }
    return e == KG_OK ? e : kg_fail(diag, e, "không đủ bộ nhớ để soạn tin nhắn");
}

/* `text` in its final coding and with its markers: does it fit? */
static kg_err finish(const wanted *w, const char *text, kg_buf *out, sms_size *size, kg_diag *diag)
{
    kg_buf marked = {0};
    mark(w, text, &marked);
    kg_buf_clear(out);
    kg_err e = kg_buf_failed(&marked);
    if (e == KG_OK) {
        e = w->plain ? to_plain(kg_buf_str(&marked), out, diag) : text_nfc(kg_buf_str(&marked), true, out);
    }
    kg_buf_done(&marked);
    if (e == KG_OK) {
        e = sms_measure(kg_buf_str(out), size);
    }
    if (e == KG_OK && (size->parts > w->parts || (w->parts == 1 && w->units > 0 && size->units > w->units))) {
        e = KG_E_LIMIT;
    }
    return e;
}

static kg_err too_long(const wanted *w, const sms_size *size, bool own, kg_diag *diag)
{
    return kg_fail(diag, KG_E_LIMIT,
                   "Tin nhắn dài %u đơn vị (%u phần), tối đa %u phần%s. %s, để lại: việc gì, ở đâu, phải làm gì.",
                   size->units, size->parts, w->parts, w->plain ? " (160 ký tự không dấu)" : "",
                   own ? "Hãy rút ngắn bản tin nhắn đã soạn" : "Hãy soạn riêng phần tin nhắn (sms) ngắn hơn");
}

static kg_err render(const wanted *w, const char *own, kg_buf *out, sms_size *size, kg_diag *diag)
{
    kg_buf text = {0};
    kg_err e = KG_E_LIMIT;
    const bool authored = own[strspn(own, " \n")] != '\0';
    if (authored) {
        put_lead(w, own, &text);
        kg_ignore(kg_buf_puts(&text, own)); /* seen in the next line */
        e = kg_buf_failed(&text) != KG_OK ? kg_buf_failed(&text) : finish(w, kg_buf_str(&text), out, size, diag);
    }
    for (size_t i = 0; !authored && e == KG_E_LIMIT && i < COUNT(forms); i++) {
        kg_buf_clear(&text);
        compose(w, &forms[i], &text);
        e = kg_buf_failed(&text) != KG_OK ? kg_buf_failed(&text) : finish(w, kg_buf_str(&text), out, size, diag);
    }
    kg_buf_done(&text);
    return e == KG_E_LIMIT ? too_long(w, size, authored, diag) : e;
}

static kg_err find_info(const alert *a, const char *language, const alert_info **out, kg_diag *diag)
{
    const alert_info *info = alert_info_for(a, language);
    if (info == NULL || (info->headline[0] == '\0' && info->event[0] == '\0')) {
        (void)kg_fail(diag, KG_E_NOTFOUND, "Bản tin không có phần tiếng \"%s\".", language);
        return KG_E_NOTFOUND;
    }
    *out = info;
    return KG_OK;
}

kg_err render_sms(const alert *a, kg_buf *out, sms_size *size, kg_diag *diag)
{
    wanted w = {.a = a, .plain = true, .units = ALERT_SMS_MAX, .parts = 1};
    kg_buf made = {0};
    sms_size got = {0};
    kg_err e = find_info(a, "vi", &w.info, diag);
    if (e == KG_OK) {
        e = render(&w, w.info->sms, &made, &got, diag);
    }
    if (e == KG_OK) {
        e = kg_buf_puts(out, kg_buf_str(&made));
    }
    if (e == KG_OK) {
        *size = got;
    }
    kg_buf_done(&made);
    return e;
}

kg_err render_sms_accented(const alert *a, const char *language, unsigned max_parts, kg_buf *out, sms_size *size,
                           kg_diag *diag)
{
    wanted w = {.a = a, .parts = max_parts};
    kg_buf made = {0};
    sms_size got = {0};
    kg_err e = find_info(a, language, &w.info, diag);
    if (e == KG_OK) {
        e = render(&w, w.info->sms_accented, &made, &got, diag);
    }
    if (e == KG_OK && !text_fits_language(kg_buf_str(&made), language)) {
        e = kg_fail(diag, KG_E_INVALID, "Phần tiếng \"%s\" không viết bằng chữ của tiếng đó.", language);
    }
    if (e == KG_OK) {
        e = kg_buf_puts(out, kg_buf_str(&made));
    }
    if (e == KG_OK) {
        *size = got;
    }
    kg_buf_done(&made);
    return e;
}

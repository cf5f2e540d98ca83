/* What a voice reads, and the line at the foot of the screen. */
#include <stdio.h>
#include <string.h>

#include "render/phrase.h"
#include "render/render.h"
#include "text/say_vi.h"

static kg_err find_info(const alert *a, const char *language, const alert_info **out, kg_diag *diag)
{
    *out = alert_info_for(a, language);
    if (*out == NULL) {
        return kg_fail(diag, KG_E_NOTFOUND, "Bản tin không có phần tiếng \"%s\".", language);
    }
    return KG_OK;
}

/* The author's ready text, else headline, place, what happens (in speech) and what to do. */
static void put_content(const alert *a, const alert_info *info, const char *own, bool description, kg_buf *out)
{
    bool ending = false;
    const char *lead = phrase_lead(a, info, &ending);
    const char *first = own[strspn(own, " \n")] != '\0' ? own
                        : info->headline[0] != '\0'     ? info->headline
                                                        : info->event;
    kg_buf piece = {0};
    if (lead != NULL && !phrase_starts(first, lead)) {
        phrase_sentence(lead, out);
    }
    phrase_sentence(first, out);
    if (first != own) {
        phrase_place(info, first, &piece);
        phrase_sentence(kg_buf_str(&piece), out);
        if (description) {
            phrase_sentence(info->description, out);
        }
        kg_buf_clear(&piece);
        phrase_instruction(info, ending, &piece);
        phrase_sentence(kg_buf_str(&piece), out);
    }
    if (kg_buf_failed(&piece) != KG_OK) {
        out->failed = kg_buf_failed(&piece);
    }
    kg_buf_done(&piece);
}

/* Signed together with the alert that it ends, and sent when it was needed: its own `sent` says nothing to people, and
 * its text names the time of the alert that is over. */
static bool drafted_beforehand(const alert *a, const alert_info *info)
{
    enum { TOGETHER_MS = 5000 };
    bool ending = false;
    (void)phrase_lead(a, info, &ending);
    for (size_t i = 0; ending && i < a->references.count; i++) {
        const int64_t after_ms = a->sent_ms - a->references.items[i].sent_ms;
        if (after_ms >= 0 && after_ms <= TOGETHER_MS) {
            return true;
        }
    }
    return false;
}

/* "Tin phát lúc 21h05 ngày 22/11/2026, UBND xã A." */
static void put_issue(const alert *a, const alert_info *info, kg_buf *out)
{
    char when[PHRASE_TIME_MAX];
    kg_buf line = {0};
    const bool vietnamese = phrase_is_vietnamese(info);
    if (!drafted_beforehand(a, info)) {
        phrase_time(a->sent_ms, vietnamese, false, when);
        kg_ignore(kg_buf_putf(&line, "%s%s", vietnamese ? "Tin phát lúc " : "", when)); /* checked at the end */
    }
    if (info->sender_name[0] != '\0') {
        kg_ignore(kg_buf_putf(&line, "%s%s", line.len > 0 ? ", " : "", info->sender_name)); /* the same */
    }
    phrase_sentence(kg_buf_str(&line), out);
    if (kg_buf_failed(&line) != KG_OK) {
        out->failed = kg_buf_failed(&line);
    }
    kg_buf_done(&line);
}

static void put_number_to_call(const alert *a, const alert_info *info, kg_buf *out)
{
    const char *number = phrase_number(info);
    bool ending = false;
    (void)phrase_lead(a, info, &ending);
    if (ending || phrase_has(kg_buf_str(out), number)) {
        return;
    }
    char line[96];
    (void)snprintf(line, sizeof line, phrase_is_vietnamese(info) ? "Khi cần cứu giúp, gọi %s" : "%s", number);
    phrase_sentence(line, out);
}

static void put_drill(const alert *a, bool last, kg_buf *out)
{
    const char *drill = phrase_drill(a);
    if (drill != NULL && !(last ? phrase_ends(kg_buf_str(out), drill) : false)) {
        phrase_sentence(drill, out);
    }
}

kg_err render_speech(const alert *a, const char *language, unsigned playing, bool labelled, kg_buf *out, kg_diag *diag)
{
    const alert_info *info = NULL;
    kg_buf text = {0};
    unsigned urls = 0;
    kg_err e = find_info(a, language, &info, diag);
    if (e != KG_OK) {
        return e;
    }
    (void)playing; /* every playing says the issue time; a planned repeat needs no other words */
    put_drill(a, false, &text);
    if (labelled) {
        phrase_sentence(phrase_is_vietnamese(info) ? "Phát lại" : "PHÁT LẠI", &text);
    }
    put_content(a, info, info->speech, true, &text);
    put_issue(a, info, &text);
    put_number_to_call(a, info, &text);
    put_drill(a, true, &text);
    e = kg_buf_failed(&text);
    if (e == KG_OK && !text_fits_language(kg_buf_str(&text), info->language)) {
        e = kg_fail(diag, KG_E_INVALID, "Phần tiếng \"%s\" không viết bằng chữ của tiếng đó: không đọc được.",
                    language);
    } else if (e == KG_OK) {
        e = phrase_is_vietnamese(info) ? say_vi(kg_buf_str(&text), out, &urls) : text_nfc(kg_buf_str(&text), true, out);
        e = e == KG_OK ? e : kg_fail(diag, e, "Không soạn được lời đọc từ bản tin (%s).", kg_err_name(e));
    }
    kg_buf_done(&text);
    return e;
}

kg_err render_crawl(const alert *a, const char *language, kg_buf *out, kg_diag *diag)
{
    const alert_info *info = NULL;
    kg_buf text = {0};
    kg_err e = find_info(a, language, &info, diag);
    if (e != KG_OK) {
        return e;
    }
    put_drill(a, false, &text);
    put_content(a, info, info->crawl, false, &text);
    put_issue(a, info, &text);
    put_number_to_call(a, info, &text);
    put_drill(a, true, &text);
    e = kg_buf_failed(&text);
    if (e == KG_OK) {
        e = text_nfc(kg_buf_str(&text), true, out);
    }
    kg_buf_done(&text);
    return e == KG_OK ? e : kg_fail(diag, e, "Không soạn được dòng chữ chạy từ bản tin (%s).", kg_err_name(e));
}

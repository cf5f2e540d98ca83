#include "render/phrase.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "text/chars.h"
#include "text/text.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

enum { PLACES_BYTES = 90 }; /* longer lists are counted instead */

static void put(kg_buf *out, const char *s, size_t n)
{
    kg_ignore(kg_buf_put(out, s, n)); /* a failure marks the buffer; the renderer looks once, at its end */
}

static void puts_buf(kg_buf *out, const char *s)
{
    put(out, s, strlen(s));
}

const char *phrase_drill(const alert *a)
{
    if (a->status == CAP_ACTUAL) {
        return NULL;
    }
    return a->status == CAP_TEST ? "THỬ NGHIỆM" : "DIỄN TẬP";
}

const char *phrase_parameter(const alert_info *info, const char *name)
{
    for (size_t i = 0; i < info->parameters.count; i++) {
        if (strcmp(info->parameters.items[i].name, name) == 0) {
            return info->parameters.items[i].value;
        }
    }
    return "";
}

const char *phrase_lead(const alert *a, const alert_info *info, bool *ending)
{
    const char *kind = phrase_parameter(info, "CAP-VN:kind");
    *ending = false;
    if (a->msg_type == CAP_CANCEL) {
        *ending = true;
        return "HỦY CẢNH BÁO";
    }
    if ((info->responses & 1U << CAP_ALLCLEAR) != 0) {
        *ending = true;
        return "HẾT NGUY HIỂM";
    }
    if (strcmp(kind, "correction") == 0) {
        return "ĐÍNH CHÍNH";
    }
    if (strcmp(kind, "final") == 0) {
        return "TIN CUỐI CÙNG";
    }
    return a->msg_type == CAP_UPDATE ? "CẬP NHẬT" : NULL;
}

bool phrase_is_vietnamese(const alert_info *info)
{
    return strncasecmp(info->language, "vi", 2) == 0 && (info->language[2] == '\0' || info->language[2] == '-');
}

void phrase_instruction(const alert_info *info, bool ending, kg_buf *out)
{
    /* The strongest first: what a person remembers is the first sentence. */
    static const struct {
        cap_response response;
        const char *words;
    } rows[] = {
        {CAP_EVACUATE, "Hãy sơ tán ngay"},         {CAP_SHELTER, "Hãy vào nơi trú ẩn an toàn"},
        {CAP_AVOID, "Tránh xa khu vực nguy hiểm"}, {CAP_EXECUTE, "Hãy làm theo phương án đã chuẩn bị"},
        {CAP_PREPARE, "Hãy chuẩn bị ứng phó"},     {CAP_MONITOR, "Hãy theo dõi tin tiếp theo"},
    };
    if (info->instruction[strspn(info->instruction, " \n")] != '\0') {
        puts_buf(out, info->instruction);
        return;
    }
    if (ending || !phrase_is_vietnamese(info)) {
        return;
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        if ((info->responses & 1U << rows[i].response) != 0) {
            phrase_sentence(rows[i].words, out);
        }
    }
}

void phrase_place(const alert_info *info, const char *said, kg_buf *out)
{
    kg_buf list = {0};
    const char *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < info->areas.count; i++) {
        const char *name = info->areas.items[i].description;
        if (name[0] == '\0' || phrase_has(said, name) || phrase_has(kg_buf_str(&list), name)) {
            continue;
        }
        if (count > 0) {
            puts_buf(&list, ", ");
        }
        puts_buf(&list, name);
        first = first != NULL ? first : name;
        count++;
    }
    if (list.len <= PLACES_BYTES || count < 2) {
        puts_buf(out, kg_buf_str(&list));
    } else if (phrase_is_vietnamese(info)) {
        kg_ignore(kg_buf_putf(out, "%s và %zu nơi khác", first, count - 1)); /* marks the buffer */
    } else {
        kg_ignore(kg_buf_putf(out, "%s (+%zu)", first, count - 1)); /* the same */
    }
    if (kg_buf_failed(&list) != KG_OK) {
        out->failed = kg_buf_failed(&list);
    }
    kg_buf_done(&list);
}

void phrase_time(int64_t wall_ms, bool vietnamese, bool brief, char out[PHRASE_TIME_MAX])
{
    char t[KG_TIME_TEXT_MAX]; /* 2026-11-22T21:05:00+07:00 */
    kg_time_text(wall_ms, KG_VN_OFFSET_MIN, t);
    (void)snprintf(out, PHRASE_TIME_MAX, "%.2s%c%.2s%s%.2s/%.2s%s%.4s", t + 11, vietnamese ? 'h' : ':', t + 14,
                   vietnamese && !brief ? " ngày " : " ", t + 8, t + 5, brief ? "" : "/", brief ? "" : t);
}

const char *phrase_number(const alert_info *info)
{
    const char *own = phrase_parameter(info, "CAP-VN:footer");
    return own[0] != '\0' ? own : "112";
}

void phrase_sentence(const char *s, kg_buf *out)
{
    s += strspn(s, " \t\n");
    if (*s == '\0') {
        return;
    }
    if (out->len > 0) {
        puts_buf(out, " ");
    }
    bool gap = false;
    for (; *s != '\0'; s++) {
        if (strchr(" \t\n", *s) != NULL) {
            gap = true;
            continue;
        }
        if (gap) {
            puts_buf(out, " ");
        }
        gap = false;
        put(out, s, 1);
    }
    if (out->len > 0 && strchr(".!?:;", out->s[out->len - 1]) == NULL) {
        puts_buf(out, ".");
    }
}

/* "TP.", "P.", "Q.": capitals only before the dot, at most three. */
static bool is_abbreviation(const char *s, size_t dot)
{
    size_t n = 0;
    while (n < dot && s[dot - 1 - n] >= 'A' && s[dot - 1 - n] <= 'Z') {
        n++;
    }
    return n >= 1 && n <= 3 && (n == dot || strchr(" (\n", s[dot - 1 - n]) != NULL);
}

void phrase_first(const char *s, kg_buf *out)
{
    s += strspn(s, " \n");
    size_t n = 0;
    for (; s[n] != '\0' && s[n] != '\n'; n++) {
        const bool ends = strchr(".!?", s[n]) != NULL && (s[n + 1] == ' ' || s[n + 1] == '\0');
        if (ends && !(s[n] == '.' && is_abbreviation(s, n))) {
            n++;
            break;
        }
    }
    put(out, s, n);
}

/* ---- comparing whatever the accents and case ---- */

enum { SIDE_START, SIDE_END, SIDE_ANY };

static bool compare(const char *text, const char *words, int side)
{
    kg_buf t = {0};
    kg_buf w = {0};
    bool same = false;
    if (text_fold(text, &t) == KG_OK && text_fold(words, &w) == KG_OK && w.len > 0 && w.len <= t.len) {
        size_t end = t.len;
        while (end > w.len && strchr(" .!?;:,", t.s[end - 1]) != NULL) {
            end--;
        }
        if (side == SIDE_START) {
            same = strncmp(t.s, w.s, w.len) == 0;
        } else if (side == SIDE_END) {
            same = strncmp(t.s + end - w.len, w.s, w.len) == 0;
        } else {
            same = strstr(t.s, w.s) != NULL;
        }
    }
    kg_buf_done(&t);
    kg_buf_done(&w);
    return same;
}

bool phrase_starts(const char *text, const char *words)
{
    return compare(text, words, SIDE_START);
}

bool phrase_ends(const char *text, const char *words)
{
    return compare(text, words, SIDE_END);
}

bool phrase_has(const char *text, const char *words)
{
    return compare(text, words, SIDE_ANY);
}

#include <string.h>

#include "base/clock.h"
#include "policy/policy_table.h"
#include "policy/route.h"
#include "text/chars.h"

/* ---- which event is it ---- */

/* Does text at `at` go on with the phrase, letter case aside, and end at a word's end? */
static bool goes_on(const char *text, const char *phrase)
{
    while (*phrase != '\0') {
        uint32_t a, b;
        const size_t n = chars_at(text, &a), m = chars_at(phrase, &b);
        if (n == 0 || m == 0 || chars_lower(a) != chars_lower(b)) {
            return false;
        }
        text += n;
        phrase += m;
    }
    uint32_t next = 0;
    return chars_at(text, &next) == 0 || !(chars_is_letter(next) || chars_is_mark(next));
}

/* Whole words, accents counting: "lũ" is in "Cảnh báo lũ quét" and not in "lửa". */
static bool says(const char *text, const char *phrase)
{
    for (size_t at = 0; text[at] != '\0';) {
        if ((at == 0 || !chars_is_letter(chars_before(text, at))) && goes_on(text + at, phrase)) {
            return true;
        }
        uint32_t cp;
        const size_t n = chars_at(text + at, &cp);
        at += n > 0 ? n : 1;
    }
    return false;
}

static bool has_code(const alert_info *info, const char *wanted)
{
    const char *value = strchr(wanted, '=') + 1; /* checked when the policy was loaded */
    const size_t scheme = (size_t)(value - 1 - wanted);
    for (size_t i = 0; i < info->event_codes.count; i++) {
        const alert_pair *code = &info->event_codes.items[i];
        if (strlen(code->name) == scheme && strncmp(code->name, wanted, scheme) == 0 &&
            strcmp(code->value, value) == 0) {
            return true;
        }
    }
    return false;
}

static bool info_fits(const file_repeat *r, const alert_info *info)
{
    for (size_t i = 0; i < r->event_codes_count; i++) {
        if (has_code(info, r->event_codes[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < r->events_count; i++) {
        if (says(info->event, r->events[i])) {
            return true;
        }
    }
    return false;
}

static bool event_fits(const file_repeat *r, const alert *a)
{
    if (r->event_codes_count + r->events_count == 0) {
        return true;
    }
    for (size_t i = 0; i < a->infos.count; i++) {
        if (info_fits(r, &a->infos.items[i])) {
            return true;
        }
    }
    return false;
}

/* ---- which rule ---- */

static bool has_medium(const file_repeat *r, medium m)
{
    for (size_t i = 0; i < r->media_count; i++) {
        if (r->media[i] == m) {
            return true;
        }
    }
    return false;
}

static bool has_class(const file_repeat *r, bulletin_class c)
{
    for (size_t i = 0; i < r->classes_count; i++) {
        if (r->classes[i] == c) {
            return true;
        }
    }
    return r->classes_count == 0;
}

const file_repeat *repeats_find(const policy *p, medium m, const alert *a)
{
    const file_when when = route_is_end(a) ? WHEN_END : WHEN_WARNING;
    for (size_t i = 0; i < p->file->repeats_count; i++) {
        const file_repeat *r = &p->file->repeats[i];
        if (r->when == when && has_medium(r, m) && has_class(r, a->bulletin_class) && event_fits(r, a)) {
            return r;
        }
    }
    return NULL;
}

/* ---- what it means now ---- */

/* Seconds until the next news after now, at least one. Without known hours the next full hour stands in. */
static uint32_t to_next_news(const policy *p, int64_t now_ms)
{
    static const int64_t day_s = (int64_t)DAY_MINUTES * 60;
    const int64_t local_s = now_ms / 1000 + (int64_t)KG_VN_OFFSET_MIN * 60;
    const int64_t of_day = local_s % day_s;
    if (p->news_count == 0) {
        return (uint32_t)(3600 - of_day % 3600);
    }
    for (size_t i = 0; i < p->news_count; i++) {
        const int64_t at = (int64_t)p->news[i] * 60;
        if (at > of_day) {
            return (uint32_t)(at - of_day);
        }
    }
    return (uint32_t)(day_s - of_day + (int64_t)p->news[0] * 60);
}

policy_repeat repeats_plan(const policy *p, const file_repeat *rule, int64_t now_ms)
{
    policy_repeat out = {0};
    if (rule == NULL) {
        return out;
    }
    out.every_s = rule->every_minutes * 60;
    out.on_the_hour = rule->on_the_hour;
    const uint32_t news = rule->at_next_news ? to_next_news(p, now_ms) : 0;
    bool placed = news == 0;
    for (size_t i = 0; i < rule->after_minutes_count; i++) { /* rising, the news in its place */
        const uint32_t at = rule->after_minutes[i] * 60;
        if (!placed && news <= at) {
            out.after_s[out.after_count++] = news;
            placed = true;
            if (news == at) {
                continue;
            }
        }
        out.after_s[out.after_count++] = at;
    }
    if (!placed) {
        out.after_s[out.after_count++] = news;
    }
    return out;
}

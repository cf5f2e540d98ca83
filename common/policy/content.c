#include <string.h>

#include "base/buf.h"
#include "policy/route.h"

/* The items of Article 6 and what stands for them in an alert. */
typedef enum item {
    ITEM_KIND,
    ITEM_TIME,
    ITEM_PLACE,
    ITEM_LEVEL,
    ITEM_AREA,
    ITEM_FORECAST,
    ITEM_MEASURES,
    ITEM_COUNT
} item;

static const char *const names[ITEM_COUNT] = {
    [ITEM_KIND] = "loại sự cố",
    [ITEM_TIME] = "thời gian",
    [ITEM_PLACE] = "địa điểm",
    [ITEM_LEVEL] = "cường độ hoặc cấp độ",
    [ITEM_AREA] = "khu vực dự kiến bị ảnh hưởng",
    [ITEM_FORECAST] = "dự báo",
    [ITEM_MEASURES] = "biện pháp khuyến cáo",
};

static bool has_text(const char *s)
{
    return s != NULL && s[strspn(s, " \t\r\n")] != '\0';
}

static uint32_t items_of_areas(const alert_info *info)
{
    uint32_t has = 0;
    for (size_t i = 0; i < info->areas.count; i++) {
        const alert_area *area = &info->areas.items[i];
        has |= has_text(area->description) ? 1u << ITEM_PLACE : 0;
        has |= area->geocodes.count + area->polygons.count + area->circles.count > 0 ? 1u << ITEM_AREA : 0;
    }
    return has;
}

static uint32_t items_of(const alert_info *info)
{
    const uint32_t advice = info->responses & ~(1u << CAP_NONE);
    uint32_t has = items_of_areas(info);
    has |= has_text(info->event) ? 1u << ITEM_KIND : 0;
    has |= info->onset_ms != 0 || info->effective_ms != 0 ? 1u << ITEM_TIME : 0;
    has |= info->severity != CAP_SEVERITY_UNKNOWN ? 1u << ITEM_LEVEL : 0;
    has |= has_text(info->description) ? 1u << ITEM_FORECAST : 0;
    has |= has_text(info->instruction) || advice != 0 ? 1u << ITEM_MEASURES : 0;
    return has;
}

bool route_is_end(const alert *a)
{
    if (a->msg_type == CAP_CANCEL) {
        return true;
    }
    bool clear = a->msg_type == CAP_UPDATE && a->infos.count > 0;
    for (size_t i = 0; clear && i < a->infos.count; i++) {
        const alert_info *info = &a->infos.items[i];
        clear = (info->responses & (1u << CAP_ALLCLEAR)) != 0 || info->urgency == CAP_URGENCY_PAST;
    }
    return clear;
}

const char *route_missing_content(const alert *a, kg_arena *mem)
{
    const uint32_t all = (1u << ITEM_COUNT) - 1;
    const uint32_t first = 1u << ITEM_KIND | 1u << ITEM_PLACE | 1u << ITEM_MEASURES;
    const bool asked = a->status == CAP_ACTUAL && (a->msg_type == CAP_ALERT || a->msg_type == CAP_UPDATE);
    if (!asked || route_is_end(a)) {
        return NULL;
    }
    uint32_t has = a->risk_level > 0 || a->civil_defence_level > 0 ? 1u << ITEM_LEVEL : 0;
    for (size_t i = 0; i < a->infos.count; i++) {
        has |= items_of(&a->infos.items[i]);
    }
    if (a->first_warning && (has & 1u << ITEM_AREA) != 0) {
        has |= 1u << ITEM_PLACE; /* a code is a place, for those who have seconds */
    }
    const uint32_t missing = (a->first_warning ? first : all) & ~has;
    if (missing == 0) {
        return NULL;
    }
    kg_buf list = {0};
    for (int i = 0; i < ITEM_COUNT; i++) {
        if ((missing & 1u << i) != 0) {
            (void)kg_buf_putf(&list, "%s%s", list.len > 0 ? ", " : "", names[i]);
        }
    }
    const char *out = kg_buf_failed(&list) == KG_OK ? kg_arena_str(mem, list.s) : NULL;
    kg_buf_done(&list);
    return out != NULL ? out : "không đủ bộ nhớ để kiểm tra nội dung"; /* never mistaken for complete */
}

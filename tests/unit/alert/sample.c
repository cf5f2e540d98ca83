#include "tests/unit/alert/sample.h"

#include <assert.h>
#include <string.h>

static void *room(alert *a, size_t count, size_t size)
{
    void *p = kg_arena_array(&a->mem, count, size);
    assert(p != NULL);
    return p;
}

static alert_texts two_texts(alert *a, const char *first, const char *second)
{
    alert_texts t = {.items = room(a, 2, sizeof *t.items), .count = 2};
    t.items[0] = first;
    t.items[1] = second;
    return t;
}

static alert_pairs two_pairs(alert *a, alert_pair first, alert_pair second)
{
    alert_pairs p = {.items = room(a, 2, sizeof *p.items), .count = 2};
    p.items[0] = first;
    p.items[1] = second;
    return p;
}

static void fill_area(alert *a, alert_area *area)
{
    area->description = "Xã An Bình";
    area->polygons =
        two_texts(a, "10.1,105.9 10.2,105.9 10.2,106.0 10.1,105.9", "9.9,106.1 9.8,106.1 9.8,106.2 9.9,106.1");
    area->circles = two_texts(a, "10.25,105.97 3.5", "10.1,106 0");
    area->geocodes = two_pairs(a, (alert_pair){"CAP-VN:commune", "29551"}, (alert_pair){"CAP-VN:commune", "29554"});
    area->altitude = "10";
    area->ceiling = "20";
}

static void fill_info(alert *a, alert_info *i)
{
    i->language = "vi-VN";
    i->categories = 1U << CAP_MET | 1U << CAP_ENV;
    i->event = "Xâm nhập mặn";
    i->responses = 1U << CAP_PREPARE | 1U << CAP_AVOID;
    i->urgency = CAP_URGENCY_EXPECTED;
    i->severity = CAP_SEVERITY_SEVERE;
    i->certainty = CAP_CERTAINTY_LIKELY;
    i->audience = "Người dân";
    i->event_codes = two_pairs(a, (alert_pair){"CAP-VN:event", "salinity"}, (alert_pair){"OET", "OET-180"});
    i->effective_ms = 1774000000000;
    i->effective_offset_min = 420;
    i->onset_ms = 1774003600000;
    i->onset_offset_min = -300;
    i->expires_ms = 1774086400000;
    i->expires_offset_min = 420;
    i->sender_name = "Đài Khí tượng Thủy văn";
    i->headline = "Độ mặn 4 g/l";
    i->description = "Mặn vào sâu 45 km.";
    i->instruction = "Trữ nước ngọt.";
    i->web = "https://example.vn/1";
    i->contact = "112";
    i->parameters = two_pairs(a, (alert_pair){"depth", "45"}, (alert_pair){"depth", "46"});
    i->resources.items = room(a, 1, sizeof *i->resources.items);
    i->resources.count = 1;
    i->resources.items[0] = (alert_resource){.description = "Bản đồ",
                                             .mime_type = "image/png",
                                             .uri = "https://example.vn/m.png",
                                             .digest = "a9993e364706816aba3e25717850c26c9cd0d89d",
                                             .size = 70000,
                                             .carried = true,
                                             .hash = alert_hash_of("m", 1)};
    i->areas.items = room(a, 1, sizeof *i->areas.items);
    i->areas.count = 1;
    fill_area(a, &i->areas.items[0]);
    i->sms = "Man 4 g/l, tru nuoc ngot";
    i->sms_accented = "Mặn 4 g/l, trữ nước ngọt";
    i->speech = "Mặn bốn gam trên lít.";
    i->crawl = "XÂM NHẬP MẶN";
}

void sample_alert(alert *a)
{
    alert_init(a);
    a->identifier = "VN-86-2026-0001";
    a->sender = "kttv@vinhlong.example.vn";
    a->sent_ms = 1774000000000;
    a->sent_offset_min = 420;
    a->status = CAP_EXERCISE;
    a->msg_type = CAP_UPDATE;
    a->scope = CAP_RESTRICTED;
    a->source = "Trạm Vàm Kênh";
    a->restriction = "Trưởng ấp";
    a->note = "Diễn tập";
    a->addresses = two_texts(a, "a@example.vn", "ban chỉ huy");
    a->codes = two_texts(a, "profile:CAP-VN:1.0", "x");
    a->incidents = two_texts(a, "mặn 2026", "hạn 2026");
    a->references.items = room(a, 2, sizeof *a->references.items);
    a->references.count = 2;
    a->references.items[0] = (alert_ref){"kttv@vinhlong.example.vn", "VN-86-2026-0000", 1773990000000};
    a->references.items[1] = (alert_ref){"", "old", 0};
    a->agency = "kttv-vinh-long";
    a->sector = "disaster";
    a->bulletin_class = CLASS_URGENT;
    a->risk_level = 3;
    a->civil_defence_level = 2;
    a->civil_defence_decision = "12/QĐ-UBND";
    a->phase = 1;
    a->emergency_instrument = "15/NQ-CP";
    a->first_warning = true;
    a->next_bulletin_ms = 1774020000000;
    a->worst_hit = two_texts(a, "29551", "29554");
    a->expires_ms = 1774086400000;
    a->hold = "ALT-1: một lý do";
    a->has_source = true;
    a->source_hash = alert_hash_of("<alert/>", 8);
    a->source_bytes = 8;
    a->infos.items = room(a, 1, sizeof *a->infos.items);
    a->infos.count = 1;
    fill_info(a, &a->infos.items[0]);
}

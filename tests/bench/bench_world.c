#include "tests/bench/bench_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/pack.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/bench/bench_common.h"

enum { HOUR_MS = 3600 * 1000, DESCRIPTION = 480 }; /* that brings the whole to about a KiB, as the anchors' messages */

secret_key *world_key(const bench_world *w, const char *name)
{
    char path[WORLD_PATH + 64];
    kg_diag diag = {""};
    secret_key *k = NULL;
    (void)snprintf(path, sizeof path, "%s/keys/%s", w->dir, name);
    bench_must(secret_load(path, &k, &diag), &diag, "loading a key");
    return k;
}

void world_station(size_t i, char out[16])
{
    (void)snprintf(out, 16, "99.%05zu.loa", i % 100000);
}

void world_open(bench_world *w, const char *dir)
{
    kg_diag diag = {""};
    kg_buf text = {.max = 1024};
    char path[WORLD_PATH + 64];
    char router[KEY_TEXT];
    char root[KEY_TEXT];
    *w = (bench_world){.stations = 0};
    bench_must(trust_start(&diag), &diag, "starting");
    (void)snprintf(w->dir, sizeof w->dir, "%s", dir);
    (void)snprintf(path, sizeof path, "%s/world", dir);
    bench_must(kg_file_read(path, 1024, &text, &diag), &diag, "reading the world");
    char *rest = NULL;
    w->port = (unsigned)strtoul(kg_buf_str(&text), &rest, 10);
    w->stations = strtoul(rest, &rest, 10);
    if (w->port == 0 || w->stations == 0 || sscanf(rest, " %64s %64s", router, root) != 2 ||
        !public_read(router, &w->router) || !public_read(root, &w->root)) {
        bench_die("%s: not what tests/bench/run writes", path);
    }
    kg_buf_done(&text);
    (void)snprintf(w->intake, sizeof w->intake, "tcp://127.0.0.1:%u", w->port);
    (void)snprintf(w->urgent, sizeof w->urgent, "tcp://127.0.0.1:%u", w->port + 1);
    (void)snprintf(w->other, sizeof w->other, "tcp://127.0.0.1:%u", w->port + 2);
    (void)snprintf(path, sizeof path, "%s/keys.manifest", dir);
    bench_must(manifest_load(path, &w->root, NULL, &w->manifest, &diag), &diag, "loading the key manifest");
    (void)snprintf(path, sizeof path, "%s/communes.tsv", dir);
    bench_must(areas_load(path, &w->areas, &diag), &diag, "loading the communes");
    w->sign = world_key(w, "agency");
}

static void *room(alert *a, size_t count, size_t size)
{
    void *p = kg_arena_array(&a->mem, count, size);
    if (p == NULL) {
        bench_die("no memory");
    }
    return p;
}

static void set_area(alert *a, alert_info *info, const world_wish *wish)
{
    info->areas.items = room(a, 1, sizeof *info->areas.items);
    info->areas.count = 1;
    alert_area *area = info->areas.items;
    *area = (alert_area){.description = "Tỉnh thử nghiệm", .altitude = "", .ceiling = ""};
    area->geocodes.items = room(a, 1, sizeof *area->geocodes.items);
    area->geocodes.count = 1;
    char code[16];
    (void)snprintf(code, sizeof code, "%05zu", wish->station % 100000);
    const bool all = wish->station == SIZE_MAX;
    area->geocodes.items[0] =
        (alert_pair){all ? AREAS_PROVINCE : AREAS_COMMUNE, kg_arena_str(&a->mem, all ? "99" : code)};
}

static void set_info(alert *a, alert_info *info, const char *description)
{
    alert_info i = {.language = "vi-VN",
                    .categories = 1U << CAP_ENV,
                    .event = "Xâm nhập mặn",
                    .responses = 1U << CAP_PREPARE,
                    .urgency = CAP_URGENCY_IMMEDIATE,
                    .severity = CAP_SEVERITY_SEVERE,
                    .certainty = CAP_CERTAINTY_OBSERVED,
                    .onset_ms = a->sent_ms,
                    .onset_offset_min = KG_VN_OFFSET_MIN,
                    .expires_ms = a->expires_ms,
                    .expires_offset_min = KG_VN_OFFSET_MIN,
                    .sender_name = "Cơ quan thử nghiệm",
                    .headline = "Mặn 4 g/l vào sâu 55 km",
                    .description = description,
                    .instruction = "Đóng cống, trữ nước ngọt. Cần giúp đỡ gọi 112.",
                    .contact = "112"};
    i.audience = i.web = i.sms = i.sms_accented = i.speech = i.crawl = "";
    *info = i;
}

static void fill(alert *a, const world_wish *wish, const char *description)
{
    char id[48];
    alert_init(a);
    (void)snprintf(id, sizeof id, "bench-%llu", (unsigned long long)wish->number);
    a->identifier = kg_arena_str(&a->mem, id);
    a->sender = "agency.bench.example";
    a->sent_ms = kg_clock_wall_ms() / 1000 * 1000;
    a->sent_offset_min = KG_VN_OFFSET_MIN;
    a->status = CAP_ACTUAL;
    a->msg_type = CAP_ALERT;
    a->scope = CAP_PUBLIC;
    a->agency = "agency";
    a->sector = "water";
    a->bulletin_class = wish->class;
    a->risk_level = 3;
    a->expires_ms = a->sent_ms + 24 * (int64_t)HOUR_MS;
    a->infos.items = room(a, 1, sizeof *a->infos.items);
    a->infos.count = 1;
    set_info(a, a->infos.items, description);
    set_area(a, a->infos.items, wish);
}

static void sign(const bench_world *w, const alert *a, kg_buf *out)
{
    kg_buf payload = {.s = NULL};
    bench_must(alert_pack(a, &payload), NULL, "packing an alert");
    signed_view v = {
        .kind = TRUST_ALERT, .payload = (const uint8_t *)payload.s, .payload_len = payload.len, .signature_count = 1};
    const public_key own = secret_public(w->sign);
    memcpy(v.signatures[0].key, own.b, KEY_BYTES);
    bench_must(trust_sign(w->sign, TRUST_ALERT, payload.s, payload.len, v.signatures[0].sig), NULL, "signing");
    bench_must(signed_pack(&v, out), NULL, "packing a signed alert");
    kg_buf_done(&payload);
}

void world_alert(const bench_world *w, const world_wish *wish, kg_buf *out)
{
    static const char sentence[] = "Lúc 15h00 độ mặn 4 g/l vào sâu 55 km; dự báo ba ngày tới mặn tiếp tục tăng. ";
    char text[DESCRIPTION + sizeof sentence];
    size_t n = 0;
    while (n < DESCRIPTION) {
        memcpy(text + n, sentence, sizeof sentence);
        n += sizeof sentence - 1;
    }
    alert a = {.identifier = NULL};
    fill(&a, wish, text);
    sign(w, &a, out);
    alert_done(&a);
}

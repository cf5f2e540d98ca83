#include "tests/unit/trust/trust_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static const char communes_tsv[] = "code\tname\tkind\tprovince\tvalid_from\tvalid_until\tsuccessor\n"
                                   "22015\tTuy Hòa\tphường\t66\t2025-07-01\t\t\n"
                                   "28756\tPhú Khương\tphường\t86\t2025-07-01\t\t\n"
                                   "28777\tAn Hội\tphường\t86\t2025-07-01\t\t\n"
                                   "28750\tPhường 8\tphường\t86\t2020-01-01\t2025-06-30\t28756\n";

static secret_key *key_from(const trust_fixture *f, tf_who who)
{
    static const char *const words[] = {"keng-sign-secret", "keng-drill-secret", "keng-connect-secret"};
    const char *word = who == TF_DRILL ? words[1] : who == TF_PUBLISHER || who == TF_SINK ? words[2] : words[0];
    char path[96];
    char line[160];
    (void)snprintf(path, sizeof path, "%s/key", f->dir);
    const int n = snprintf(line, sizeof line, "%s %064x\n", word, 1000u + (unsigned)who);
    secret_key *k = NULL;
    kg_diag diag = {0};
    assert_int_equal(kg_file_replace(path, line, (size_t)n, 0600, &diag), KG_OK);
    assert_int_equal(secret_load(path, &k, &diag), KG_OK);
    assert_int_equal(unlink(path), 0);
    return k;
}

void tf_manifest(const trust_fixture *f, uint64_t version, kg_buf *out)
{
    static const char *province[] = {"86"};
    static const char *own_code[] = {"28756"};
    static const char *nation[] = {"00"};
    static const char *health[] = {"health"};
    static const char *any[] = {"*"};
    static const char *stations[] = {"86.28756.loa", "86.sms*"};
    const alert_texts in_province = {province, 1};
    const alert_texts health_only = {health, 1};
    const int64_t hour = INT64_C(3600000);
    key_entry rows[] = {
        {.use = KEY_SIGN_ACTUAL,
         .holder = "Bà An",
         .agency = "so-y-te",
         .areas = in_province,
         .sectors = health_only,
         .class_max = CLASS_URGENT,
         .first_warning = true},
        {.use = KEY_SIGN_ACTUAL,
         .holder = "Ông Bình",
         .agency = "so-y-te",
         .areas = in_province,
         .sectors = health_only,
         .class_max = CLASS_URGENT,
         .first_warning = true},
        {.use = KEY_SIGN_ACTUAL,
         .holder = "Bà An",
         .agency = "so-y-te",
         .areas = in_province,
         .sectors = health_only,
         .class_max = CLASS_URGENT,
         .first_warning = true},
        {.use = KEY_SIGN_ACTUAL,
         .holder = "Chủ tịch phường",
         .agency = "ubnd-28756",
         .areas = {own_code, 1},
         .sectors = {any, 1},
         .class_max = CLASS_PRIORITY},
        {.use = KEY_SIGN_ACTUAL,
         .holder = "Trực ban Bộ",
         .agency = "bo-y-te",
         .areas = {nation, 1},
         .sectors = health_only,
         .class_max = CLASS_URGENT},
        {.use = KEY_SIGN_DRILL,
         .holder = "Bà An",
         .agency = "so-y-te",
         .areas = in_province,
         .sectors = health_only,
         .class_max = CLASS_URGENT,
         .first_warning = true},
        {.use = KEY_SIGN_ACTUAL,
         .holder = "Ông Cường",
         .agency = "so-y-te",
         .areas = in_province,
         .sectors = health_only,
         .class_max = CLASS_URGENT,
         .revoked_ms = tf_now_ms + hour},
        {.use = KEY_SIGN_ACTUAL,
         .holder = "Bà Dung",
         .agency = "so-y-te",
         .areas = in_province,
         .sectors = health_only,
         .class_max = CLASS_URGENT,
         .until_ms = tf_now_ms - hour},
        {.use = KEY_SIGN_ACTUAL,
         .holder = "Ông Em",
         .agency = "so-y-te",
         .areas = in_province,
         .sectors = health_only,
         .class_max = CLASS_URGENT,
         .from_ms = tf_now_ms + hour},
        {.use = KEY_SIGN_ACTUAL,
         .holder = "router",
         .agency = "so-y-te",
         .areas = in_province,
         .sectors = health_only,
         .class_max = CLASS_URGENT,
         .role = ROLE_ROUTER},
        {.use = KEY_CONNECT, .holder = "keng-publisher so-y-te", .agency = "so-y-te", .role = ROLE_PUBLISHER},
        {.use = KEY_CONNECT, .holder = "keng-sms", .role = ROLE_SINK, .stations = {stations, 2}},
    };
    static const tf_who owners[] = {TF_HEALTH,  TF_HEALTH_2, TF_HEALTH_3, TF_COMMUNE,  TF_NATION,    TF_DRILL,
                                    TF_REVOKED, TF_OLD,      TF_FUTURE,   TF_RECEIPTS, TF_PUBLISHER, TF_SINK};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rows[i].key = secret_public(f->keys[owners[i]]);
    }
    kg_diag diag = {0};
    if (manifest_make(version, tf_now_ms - hour, tf_now_ms + 24 * hour, rows, sizeof rows / sizeof rows[0],
                      f->keys[TF_ROOT], out, &diag) != KG_OK) {
        fail_msg("manifest_make: %s", diag.text);
    }
}

void tf_open(trust_fixture *f)
{
    kg_diag diag = {0};
    memset(f, 0, sizeof *f);
    assert_int_equal(trust_start(&diag), KG_OK);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/keng-trust-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->manifest_path, sizeof f->manifest_path, "%s/manifest", f->dir);
    (void)snprintf(f->floor_path, sizeof f->floor_path, "%s/floor", f->dir);
    (void)snprintf(f->areas_path, sizeof f->areas_path, "%s/communes.tsv", f->dir);
    for (int i = 0; i < TF_COUNT; i++) {
        f->keys[i] = key_from(f, (tf_who)i);
    }
    assert_int_equal(kg_file_replace(f->areas_path, communes_tsv, strlen(communes_tsv), 0600, &diag), KG_OK);
    if (areas_load(f->areas_path, &f->areas, &diag) != KG_OK) {
        fail_msg("areas_load: %s", diag.text);
    }
    kg_buf bytes = {0};
    tf_manifest(f, 1, &bytes);
    const public_key root = secret_public(f->keys[TF_ROOT]);
    if (manifest_read(bytes.s, bytes.len, &root, &f->manifest, &diag) != KG_OK) {
        fail_msg("manifest_read: %s", diag.text);
    }
    kg_buf_done(&bytes);
}

void tf_close(trust_fixture *f)
{
    for (int i = 0; i < TF_COUNT; i++) {
        secret_free(&f->keys[i]);
    }
    manifest_free(&f->manifest);
    areas_free(&f->areas);
    (void)unlink(f->manifest_path);
    (void)unlink(f->floor_path);
    (void)unlink(f->areas_path);
    (void)rmdir(f->dir);
}

void tf_alert(alert *a)
{
    alert_init(a);
    a->identifier = "VL-2026-0001";
    a->sender = "soyte@vinhlong.gov.vn";
    a->sent_ms = tf_now_ms - 1000;
    a->sent_offset_min = 420;
    a->status = CAP_ACTUAL;
    a->msg_type = CAP_ALERT;
    a->scope = CAP_PUBLIC;
    a->agency = "so-y-te";
    a->sector = "health";
    a->bulletin_class = CLASS_URGENT;
    a->expires_ms = tf_now_ms + INT64_C(3600000);
    alert_info *info = kg_arena_array(&a->mem, 1, sizeof *info);
    assert_non_null(info);
    a->infos.items = info;
    a->infos.count = 1;
    info->language = "vi-VN";
    info->categories = 1u << CAP_HEALTH;
    info->event = "Dịch bệnh";
    info->urgency = CAP_URGENCY_IMMEDIATE;
    info->severity = CAP_SEVERITY_SEVERE;
    info->certainty = CAP_CERTAINTY_OBSERVED;
    info->expires_ms = a->expires_ms;
    info->expires_offset_min = 420;
    info->headline = "Cảnh báo dịch tả";
    info->description = "Phát hiện ổ dịch tả tại phường Phú Khương.";
    info->instruction = "Đun sôi nước trước khi uống.";
    info->audience = info->sender_name = info->web = info->contact = "";
    info->sms = info->sms_accented = info->speech = info->crawl = "";
    tf_area(a, AREAS_COMMUNE, "28756");
}

void tf_area(alert *a, const char *name, const char *value)
{
    alert_info *info = &a->infos.items[0];
    alert_area *area = kg_arena_array(&a->mem, 1, sizeof *area);
    alert_pair *pair = kg_arena_array(&a->mem, 1, sizeof *pair);
    assert_non_null(area);
    assert_non_null(pair);
    *pair = (alert_pair){name, value};
    *area = (alert_area){.description = "Phú Khương", .geocodes = {pair, 1}, .altitude = "", .ceiling = ""};
    info->areas.items = area;
    info->areas.count = 1;
}

void tf_sign(const trust_fixture *f, const alert *a, const tf_who *who, size_t count, kg_buf *out)
{
    kg_buf payload = {0};
    assert_int_equal(alert_pack(a, &payload), KG_OK);
    signed_view v = {.kind = TRUST_ALERT,
                     .payload = (const uint8_t *)payload.s,
                     .payload_len = payload.len,
                     .signature_count = count};
    assert_true(count <= SIGNED_SIGNATURES_MAX);
    for (size_t i = 0; i < count; i++) {
        const public_key open = secret_public(f->keys[who[i]]);
        memcpy(v.signatures[i].key, open.b, KEY_BYTES);
        assert_int_equal(trust_sign(f->keys[who[i]], TRUST_ALERT, payload.s, payload.len, v.signatures[i].sig), KG_OK);
    }
    assert_int_equal(signed_pack(&v, out), KG_OK);
    kg_buf_done(&payload);
}

#include "trust/verify.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *code, *vi;
} words[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = {"ok", "Bản tin hợp lệ."},
    [REFUSAL_BAD_FORM] = {"bad-form", "Bản tin không đúng định dạng, không đọc được. Hãy soạn và gửi lại."},
    [REFUSAL_TOO_LARGE] = {"too-large", "Bản tin vượt quá dung lượng cho phép. Hãy rút gọn rồi gửi lại."},
    [REFUSAL_BAD_VERSION] = {"bad-version",
                             "Phiên bản giao thức không được hỗ trợ. Hãy cập nhật phần mềm của đơn vị gửi."},
    [REFUSAL_BAD_SIGNATURE] = {"bad-signature", "Chữ ký số không đúng: nội dung đã bị thay đổi hoặc không do người có "
                                                "thẩm quyền ký. Không được phát; hãy báo ngay người phụ trách an toàn "
                                                "thông tin."},
    [REFUSAL_UNKNOWN_KEY] = {"unknown-key", "Khóa ký không có trong danh sách khóa được công nhận. Hãy đề nghị đơn vị "
                                            "quản lý khóa bổ sung."},
    [REFUSAL_REVOKED_KEY] = {"revoked-key", "Khóa ký đã bị thu hồi. Không được phát; hãy ký lại bằng khóa còn hiệu "
                                            "lực."},
    [REFUSAL_KEY_NOT_IN_DATE] = {"key-not-in-date",
                                 "Khóa ký chưa đến hoặc đã quá thời hạn hiệu lực. Hãy ký lại bằng khóa còn hiệu lực."},
    [REFUSAL_WRONG_STATUS] = {"wrong-status", "Khóa không đúng loại bản tin: khóa diễn tập chỉ ký được bản tin diễn "
                                              "tập, khóa chính thức chỉ ký được bản tin thật."},
    [REFUSAL_WRONG_AGENCY] = {"wrong-agency",
                              "Cơ quan ghi trong bản tin không phải là cơ quan của khóa ký. Hãy kiểm tra lại cơ quan "
                              "ban hành."},
    [REFUSAL_WRONG_SECTOR] = {"wrong-sector",
                              "Cơ quan không có thẩm quyền cảnh báo về lĩnh vực này. Hãy chuyển cho cơ quan chủ trì "
                              "lĩnh vực."},
    [REFUSAL_WRONG_CLASS] = {"wrong-class", "Cơ quan không có thẩm quyền ban hành bản tin ở mức ưu tiên này. Hãy hạ "
                                            "mức hoặc trình cấp có thẩm quyền."},
    [REFUSAL_WRONG_AREA] = {"wrong-area",
                            "Địa bàn cảnh báo nằm ngoài phạm vi thẩm quyền của cơ quan. Hãy sửa lại địa bàn hoặc trình "
                            "cấp trên."},
    [REFUSAL_UNKNOWN_COMMUNE] = {"unknown-commune",
                                 "Mã xã, phường không có hoặc không còn hiệu lực. Hãy dùng mã hiện hành."},
    [REFUSAL_EXPIRED] = {"expired", "Bản tin đã hết hiệu lực trước khi đến nơi nên không phát. Nếu còn nguy hiểm, hãy "
                                    "ban hành bản tin mới."},
    [REFUSAL_MISSING_CONTENT] = {"missing-content",
                                 "Bản tin thiếu nội dung bắt buộc theo Điều 6 Luật Phòng thủ dân sự. Hãy bổ sung, hoặc "
                                 "gửi dưới dạng cảnh báo sớm lần đầu."},
    [REFUSAL_NEEDS_SIGNATURE] = {"needs-signature", "Bản tin cần thêm chữ ký của người thứ hai. Bản tin được giữ lại "
                                                    "cho đến khi có đủ chữ ký."},
    [REFUSAL_CONFLICT] = {"conflict", "Đã có bản tin cùng số hiệu nhưng khác nội dung. Hãy cấp số hiệu mới và gửi "
                                      "lại."},
    [REFUSAL_FOREIGN_REFERENCE] = {"foreign-reference",
                                   "Bản tin sửa đổi hoặc hủy bản tin của cơ quan khác. Cần người trực quyết định."},
    [REFUSAL_NOTHING_TO_END] = {"nothing-to-end",
                                "Bản tin hủy hoặc cập nhật không nêu bản tin nào. Hãy ghi rõ bản tin cần hủy hoặc cập "
                                "nhật."},
    [REFUSAL_NOT_ALLOWED] = {"not-allowed", "Kết nối này không được phép thực hiện việc đó. Hãy kiểm tra vai trò của "
                                            "khóa kết nối."},
    [REFUSAL_RATE] = {"rate", "Đơn vị gửi quá nhiều bản tin trong thời gian ngắn. Hãy chờ rồi gửi lại; trường hợp khẩn "
                              "cấp hãy gọi điện cho trực ban."},
    [REFUSAL_TRY_LATER] = {"try-later", "Hệ thống tạm thời chưa nhận được. Phần mềm sẽ tự gửi lại; bản tin chưa được "
                                        "tiếp nhận."},
};

const char *refusal_code(refusal r)
{
    assert(r < REFUSAL_COUNT);
    return words[r].code;
}

const char *refusal_vi(refusal r)
{
    assert(r < REFUSAL_COUNT);
    return words[r].vi;
}

static refusal refuse(kg_diag *diag, refusal r, const char *fmt, ...) KG_PRINTF(3, 4);
static refusal refuse(kg_diag *diag, refusal r, const char *fmt, ...)
{
    char sentence[KG_DIAG_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    kg_ignore(kg_fail(diag, KG_E_DENIED, "%s", sentence)); /* only the sentence is wanted */
    return r;
}

static bool among(const alert_texts *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* Signatures first, over the bytes as they came; what a key may say is asked only of one that did sign. */
static refusal check_signature(const signed_view *v, size_t i, const manifest *m, int64_t now_ms, kg_diag *diag)
{
    public_key key;
    char text[KEY_TEXT];
    memcpy(key.b, v->signatures[i].key, KEY_BYTES);
    public_text(&key, text);
    for (size_t j = 0; j < i; j++) {
        if (memcmp(v->signatures[j].key, key.b, KEY_BYTES) == 0) {
            return refuse(diag, REFUSAL_BAD_FORM, "key %.16s signed twice; a second signature needs a second person",
                          text);
        }
    }
    const key_entry *e = manifest_signer(m, &key);
    if (e == NULL) {
        return refuse(diag, REFUSAL_UNKNOWN_KEY, "key %.16s is not in key manifest version %" PRIu64, text,
                      manifest_version(m));
    }
    if (!trust_verify(&key, TRUST_ALERT, v->payload, v->payload_len, v->signatures[i].sig)) {
        return refuse(diag, REFUSAL_BAD_SIGNATURE, "the signature of key %.16s (%s) does not fit these bytes", text,
                      e->holder);
    }
    if (e->revoked_ms != 0) {
        return refuse(diag, REFUSAL_REVOKED_KEY, "key %.16s (%s) is revoked; sign with a valid key", text, e->holder);
    }
    if (!key_entry_valid(e, now_ms)) {
        return refuse(diag, REFUSAL_KEY_NOT_IN_DATE, "key %.16s (%s) is not valid today; sign with a valid key", text,
                      e->holder);
    }
    return REFUSAL_NONE;
}

static bool status_fits(key_use use, cap_status s)
{
    return use == KEY_SIGN_DRILL ? s == CAP_EXERCISE || s == CAP_TEST : s == CAP_ACTUAL || s == CAP_SYSTEM;
}

static refusal check_right(const key_entry *e, const alert *a, kg_diag *diag)
{
    if (e->role != ROLE_NONE) {
        return refuse(diag, REFUSAL_WRONG_AGENCY, "the key of %s is for receipts; it cannot sign an alert", e->holder);
    }
    if (!status_fits(e->use, a->status)) {
        return refuse(diag, REFUSAL_WRONG_STATUS, "a key for %s alerts (%s) cannot sign one of status %s",
                      key_use_text(e->use), e->holder, cap_status_text(a->status));
    }
    if (!among(&e->sectors, a->sector) && !among(&e->sectors, "*")) {
        return refuse(diag, REFUSAL_WRONG_SECTOR, "%s (agency %s) has no right to sector \"%s\"", e->holder, e->agency,
                      a->sector);
    }
    if (a->bulletin_class > e->class_max) {
        return refuse(diag, REFUSAL_WRONG_CLASS, "%s (agency %s) may issue up to class %s, not %s", e->holder,
                      e->agency, bulletin_class_text(e->class_max), bulletin_class_text(a->bulletin_class));
    }
    if (a->first_warning && !e->first_warning) {
        return refuse(diag, REFUSAL_WRONG_CLASS, "%s (agency %s) has no right to a first warning; send the full alert",
                      e->holder, e->agency);
    }
    return REFUSAL_NONE;
}

static bool covers(const key_entry *e, const commune *c)
{
    return among(&e->areas, AREAS_NATION) || among(&e->areas, c->province) || among(&e->areas, c->code);
}

/* "The whole nation" is more than the communes of this process's tables. */
static bool names_nation(const alert *a)
{
    for (size_t i = 0; i < a->infos.count; i++) {
        const alert_info *info = &a->infos.items[i];
        for (size_t j = 0; j < info->areas.count; j++) {
            const alert_pairs *codes = &info->areas.items[j].geocodes;
            for (size_t k = 0; k < codes->count; k++) {
                if (strcmp(codes->items[k].name, AREAS_PROVINCE) == 0 &&
                    strcmp(codes->items[k].value, AREAS_NATION) == 0) {
                    return true;
                }
            }
        }
    }
    return false;
}

static refusal check_area(const key_entry *e, const areas *ar, const alert *a, const area_set *set, kg_diag *diag)
{
    if (names_nation(a) && !among(&e->areas, AREAS_NATION)) {
        return refuse(diag, REFUSAL_WRONG_AREA, "%s (agency %s) has no right to the whole nation", e->holder,
                      e->agency);
    }
    for (size_t i = 0; i < set->count; i++) {
        const commune *c = areas_at(ar, set->items[i]);
        if (!covers(e, c)) {
            return refuse(diag, REFUSAL_WRONG_AREA, "commune %s (%s) lies outside the area of %s (agency %s)", c->code,
                          c->name, e->holder, e->agency);
        }
    }
    return REFUSAL_NONE;
}

static refusal check_scope(const signed_view *v, const manifest *m, const areas *ar, const alert *a, kg_diag *diag)
{
    area_set set = {0};
    const kg_err found = areas_resolve(ar, a, &set, diag);
    refusal r = found == KG_OK                   ? REFUSAL_NONE
                : found == KG_E_NOTFOUND         ? REFUSAL_UNKNOWN_COMMUNE
                : kg_err_class(found) == KG_TEMP ? REFUSAL_TRY_LATER
                                                 : REFUSAL_BAD_FORM;
    for (size_t i = 0; r == REFUSAL_NONE && i < v->signature_count; i++) {
        public_key key;
        memcpy(key.b, v->signatures[i].key, KEY_BYTES);
        const key_entry *e = manifest_signer(m, &key);
        if (i == 0 && strcmp(e->agency, a->agency) != 0) {
            r = refuse(diag, REFUSAL_WRONG_AGENCY, "the alert speaks for agency \"%s\" and %s signs for \"%s\"",
                       a->agency, e->holder, e->agency);
        }
        r = r != REFUSAL_NONE ? r : check_right(e, a, diag);
        r = r != REFUSAL_NONE ? r : check_area(e, ar, a, &set, diag);
    }
    area_set_done(&set);
    return r;
}

/* The frame is not signed: only its one form is taken, so that nobody can make the same alert look like another. */
static bool packed_alike(const signed_view *v, const void *bytes, size_t n)
{
    kg_buf again = {.max = SIGNED_BYTES_MAX};
    const bool alike = signed_pack(v, &again) == KG_OK && again.len == n && memcmp(again.s, bytes, n) == 0;
    kg_buf_done(&again);
    return alike;
}

static refusal form_of(kg_err e)
{
    return e == KG_E_LIMIT ? REFUSAL_TOO_LARGE : kg_err_class(e) == KG_TEMP ? REFUSAL_TRY_LATER : REFUSAL_BAD_FORM;
}

refusal verify_signed(const void *bytes, size_t n, const manifest *m, const areas *ar, int64_t now_ms, alert *out,
                      const key_entry **signer, kg_diag *diag)
{
    if (n > SIGNED_BYTES_MAX) {
        return refuse(diag, REFUSAL_TOO_LARGE, "%zu bytes; an alert may have %d", n, ALERT_PAYLOAD_MAX);
    }
    signed_view v = {0};
    alert a = {0};
    kg_err e = signed_open(bytes, n, &v, diag);
    refusal r = e == KG_OK ? REFUSAL_NONE : form_of(e);
    if (r == REFUSAL_NONE && v.kind != TRUST_ALERT) {
        r = refuse(diag, REFUSAL_BAD_FORM, "this is signed, but it is no alert (kind %u)", v.kind);
    }
    if (r == REFUSAL_NONE && !packed_alike(&v, bytes, n)) {
        r = refuse(diag, REFUSAL_BAD_FORM, "the frame around the signed bytes holds more than it should");
    }
    for (size_t i = 0; r == REFUSAL_NONE && i < v.signature_count; i++) {
        r = check_signature(&v, i, m, now_ms, diag);
    }
    if (r == REFUSAL_NONE) {
        e = alert_unpack(v.payload, v.payload_len, &a, diag);
        r = e == KG_OK ? check_scope(&v, m, ar, &a, diag) : form_of(e);
    }
    if (r == REFUSAL_NONE) {
        public_key first;
        memcpy(first.b, v.signatures[0].key, KEY_BYTES);
        *signer = manifest_signer(m, &first);
        *out = a;
    } else {
        alert_done(&a);
    }
    signed_done(&v);
    return r;
}

size_t verify_holders(const void *bytes, size_t n, const manifest *m)
{
    signed_view v = {0};
    const char *seen[SIGNED_SIGNATURES_MAX];
    size_t count = 0;
    if (signed_open(bytes, n, &v, NULL) != KG_OK) {
        return 0;
    }
    for (size_t i = 0; i < v.signature_count; i++) {
        public_key key;
        memcpy(key.b, v.signatures[i].key, KEY_BYTES);
        const key_entry *e = manifest_signer(m, &key);
        bool known = e == NULL;
        for (size_t j = 0; !known && j < count; j++) {
            known = strcmp(seen[j], e->holder) == 0;
        }
        if (!known) {
            seen[count++] = e->holder;
        }
    }
    signed_done(&v);
    return count;
}

bool verify_covers(const key_entry *e, const areas *ar, const alert_texts *communes)
{
    for (size_t i = 0; i < communes->count; i++) {
        const commune *c = areas_find(ar, communes->items[i]);
        if (c == NULL || !covers(e, c)) {
            return false;
        }
    }
    return true;
}

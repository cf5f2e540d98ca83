#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"

void request_id(const sink_job *job, const char *operator_id, const char *language, char out[REQUEST_ID_MAX])
{
    (void)snprintf(out, REQUEST_ID_MAX, "%s.%u.%.31s.%.15s", job->id_text, job->playing, operator_id, language);
}

kg_err request_check_operator(const char *operator_id, kg_diag *diag)
{
    const size_t n = strspn(operator_id, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (n == 0 || operator_id[n] != '\0' || n >= REQUEST_OPERATOR_MAX) {
        return kg_fail(diag, KG_E_INVALID, "operator \"%s\": write 1 to %d of a-z, 0-9 and -", operator_id,
                       REQUEST_OPERATOR_MAX - 1);
    }
    return KG_OK;
}

static const char *status_word(const alert *a)
{
    return a->status == CAP_ACTUAL ? "actual" : a->status == CAP_TEST ? "test" : "exercise";
}

static const char *kind_word(const alert *a)
{
    return a->msg_type == CAP_CANCEL ? "cancel" : a->msg_type == CAP_UPDATE ? "update" : "alert";
}

static const char *issuer(const alert *a)
{
    const alert_info *info = alert_info_for(a, "vi");
    return info != NULL && info->sender_name[0] != '\0' ? info->sender_name : a->agency;
}

static void time_of(int64_t ms, char out[KG_TIME_TEXT_MAX])
{
    kg_time_text(ms, KG_VN_OFFSET_MIN, out);
}

/* Lists of a job as JSON arrays; NULL out of memory. */
static json_t *communes_json(const sink_job *job)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < job->communes.count; i++) {
        if (json_array_append_new(list, json_string(job->communes.items[i])) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *replaces_json(const alert *a)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < a->references.count; i++) {
        const alert_ref *ref = &a->references.items[i];
        char text[ALERT_ID_TEXT];
        alert_id_text(alert_id_of(ref->sender, ref->identifier, ref->sent_ms), text);
        if (json_array_append_new(list, json_string(text)) != 0) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *build(const request *r)
{
    const sink_job *job = r->job;
    const alert *a = job->alert;
    char id[REQUEST_ID_MAX];
    char issued[KG_TIME_TEXT_MAX];
    char deadline[KG_TIME_TEXT_MAX];
    char expires[KG_TIME_TEXT_MAX];
    request_id(job, r->operator_id, r->text->language, id);
    time_of(a->sent_ms, issued);
    time_of(r->deadline_ms, deadline);
    time_of(job->ends_ms, expires);
    return json_pack("{s:s, s:s, s:s, s:i, s:b, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:o, s:o, s:s, s:s, "
                     "s:s, s:s, s:s, "
                     "s:s, s:s, s:s*}",
                     "form", "keng-sms-request/1", "id", id, "alert", job->id_text, "playing", (int)job->playing,
                     "repeat", job->playing > 0 || job->labelled, "operator", r->operator_id, "sender", r->sender,
                     "language", r->text->language, "text", kg_buf_str(&r->text->text), "coding",
                     r->text->size.coding == SMS_GSM7 ? "gsm7" : "ucs2", "units", (int)r->text->size.units, "parts",
                     (int)r->text->size.parts, "class", bulletin_class_text(a->bulletin_class), "status",
                     status_word(a), "kind", kind_word(a), "communes", communes_json(job), "replaces", replaces_json(a),
                     "issued", issued, "deadline", deadline, "expires", expires, "issuer", issuer(a), "agency",
                     a->agency, "rule", job->rule, "basis", job->basis, "callback", r->callback);
}

static const char *yes_drill(const alert *a)
{
    return a->status == CAP_ACTUAL ? "" : a->status == CAP_TEST ? "THỬ NGHIỆM - " : "DIỄN TẬP - ";
}

kg_err request_letter(const request *r, kg_buf *out, kg_diag *diag)
{
    const sink_job *job = r->job;
    const alert *a = job->alert;
    char id[REQUEST_ID_MAX];
    char issued[KG_TIME_TEXT_MAX];
    char deadline[KG_TIME_TEXT_MAX];
    request_id(job, r->operator_id, r->text->language, id);
    time_of(a->sent_ms, issued);
    time_of(r->deadline_ms, deadline);
    const kg_err from = out->failed;
    kg_ignore(kg_buf_putf(out, "%sPHIẾU YÊU CẦU NHẮN TIN CẢNH BÁO\n\n", yes_drill(a))); /* the buffer is asked below */
    kg_ignore(kg_buf_putf(out, "Số phiếu (không gửi hai lần cùng một số): %s\n", id));
    kg_ignore(kg_buf_putf(out, "Cơ quan ban hành: %s\nBan hành lúc: %s\n", issuer(a), issued));
    kg_ignore(kg_buf_putf(out, "Mức tin: %s\nGửi xong trước: %s\n", bulletin_class_vi(a->bulletin_class), deadline));
    kg_ignore(
        kg_buf_putf(out, "Tên người gửi (brandname): %s\nKhông thu cước, không gắn nhãn quảng cáo.\n", r->sender));
    kg_ignore(kg_buf_putf(out, "Căn cứ: %s\n\n", job->basis));
    kg_ignore(kg_buf_putf(out, "NỘI DUNG (%s, %u phần, ngôn ngữ %s), gửi nguyên văn giữa hai dòng gạch:\n",
                          r->text->size.coding == SMS_GSM7 ? "không dấu" : "có dấu, UCS-2", r->text->size.parts,
                          r->text->language));
    kg_ignore(kg_buf_putf(out, "----------\n%s\n----------\n\n", kg_buf_str(&r->text->text)));
    kg_ignore(kg_buf_putf(out, "ĐỊA BÀN: %zu xã, phường theo mã (QĐ 19/2025/QĐ-TTg), nơi bị nặng nhất gửi trước:\n",
                          job->communes.count));
    for (size_t i = 0; i < job->communes.count; i++) {
        kg_ignore(kg_buf_putf(out, "%s%s", job->communes.items[i], (i + 1) % 10 == 0 ? "\n" : " ")); /* the same */
    }
    kg_ignore(kg_buf_puts(out, "\n\n"));
    if (a->msg_type == CAP_CANCEL || a->msg_type == CAP_UPDATE) {
        kg_ignore(kg_buf_puts(out, "Phiếu này thay thế phiếu trước của cùng sự việc: nếu còn đang gửi, xin dừng.\n"));
    }
    kg_ignore(kg_buf_putf(out, "Xin xác nhận qua điện thoại%s%s. Chưa có xác nhận, việc này chưa xong.\n",
                          r->phone[0] != '\0' ? " " : "", r->phone));
    const kg_err e = from != KG_OK ? from : kg_buf_failed(out);
    return e == KG_OK ? e : kg_fail(diag, e, "the letter to %s does not fit into memory", r->operator_id);
}

static kg_err add_letter(const request *r, json_t *all, kg_diag *diag)
{
    kg_buf letter = {0};
    kg_err e = request_letter(r, &letter, diag);
    if (e == KG_OK && json_object_set_new(all, "letter", json_string(kg_buf_str(&letter))) != 0) {
        e = kg_fail(diag, KG_E_NOMEM, "no memory for the request to %s", r->operator_id);
    }
    kg_buf_done(&letter);
    return e;
}

kg_err request_json(const request *r, kg_buf *out, kg_diag *diag)
{
    json_t *all = build(r);
    kg_err e = all != NULL ? KG_OK : kg_fail(diag, KG_E_NOMEM, "no memory for the request to %s", r->operator_id);
    if (e == KG_OK && r->for_people) {
        e = add_letter(r, all, diag);
    }
    char *text = NULL;
    if (e == KG_OK) {
        text = json_dumps(all, JSON_SORT_KEYS | (r->for_people ? (size_t)JSON_INDENT(2) : (size_t)JSON_COMPACT));
        e = text != NULL ? kg_buf_puts(out, text) : KG_E_NOMEM;
        e = e == KG_OK ? e : kg_fail(diag, e, "no memory for the request to %s", r->operator_id);
    }
    free(text);
    json_decref(all);
    return e;
}

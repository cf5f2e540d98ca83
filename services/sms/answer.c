#include "answer.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/utf8.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

enum { DEPTH_FIELDS_MAX = 64 };

static bool read_state(const json_t *all, answer *out)
{
    static const char *const words[] = {"accepted", "sending", "finished", "stopped", "refused"};
    const char *word = json_string_value(json_object_get(all, "status"));
    for (size_t i = 0; word != NULL && i < COUNT(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            out->state = (answer_state)i;
            return true;
        }
    }
    return false;
}

/* A missing count is 0; anything but a sensible number spoils the answer. */
static bool read_count(const json_t *counts, const char *name, uint64_t *out)
{
    const json_t *v = json_object_get(counts, name);
    if (v == NULL) {
        return true;
    }
    const json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || n < 0 || (uint64_t)n > ANSWER_COUNT_MAX) {
        return false;
    }
    *out = (uint64_t)n;
    return true;
}

static bool read_counts(const json_t *all, answer *out)
{
    const json_t *counts = json_object_get(all, "counts");
    if (counts == NULL) {
        return true;
    }
    return json_is_object(counts) && read_count(counts, "targeted", &out->targeted) &&
           read_count(counts, "sent", &out->sent) && read_count(counts, "delivered", &out->delivered) &&
           read_count(counts, "failed", &out->failed) && out->delivered <= out->sent;
}

/* Text of another company's server: cut on a character, control characters made blanks. */
static void read_words(const json_t *all, const char *name, char *out, size_t room)
{
    const json_t *v = json_object_get(all, name);
    out[0] = '\0';
    if (!json_is_string(v)) {
        return;
    }
    const size_t n = kg_utf8_floor(json_string_value(v), json_string_length(v), room - 1);
    memcpy(out, json_string_value(v), n);
    out[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        out[i] = (unsigned char)out[i] < 0x20 || out[i] == 0x7F ? ' ' : out[i];
    }
}

static bool read_time(const json_t *all, const char *name, int64_t *out)
{
    const char *text = json_string_value(json_object_get(all, name));
    int offset = 0;
    unsigned slips = 0;
    return text == NULL || kg_time_read(text, KG_VN_OFFSET_MIN, out, &offset, &slips) == KG_OK;
}

kg_err answer_read(const void *bytes, size_t n, answer *out)
{
    json_error_t where;
    answer a = {.state = ANSWER_ACCEPTED};
    if (n > ANSWER_BYTES_MAX) {
        return KG_E_INVALID;
    }
    json_t *all = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &where);
    const bool good = json_is_object(all) && json_object_size(all) <= DEPTH_FIELDS_MAX && read_state(all, &a) &&
                      read_counts(all, &a) && read_time(all, "started", &a.started_ms) &&
                      read_time(all, "ended", &a.ended_ms);
    if (good) {
        read_words(all, "id", a.id, sizeof a.id);
        read_words(all, "code", a.code, sizeof a.code);
        read_words(all, "reason", a.words, sizeof a.words);
        *out = a;
    }
    json_decref(all);
    return good ? KG_OK : KG_E_INVALID;
}

static void say(answer *out, const char *code, const char *words)
{
    if (out->code[0] == '\0') {
        (void)snprintf(out->code, sizeof out->code, "%s", code);
    }
    if (out->words[0] == '\0') {
        (void)snprintf(out->words, sizeof out->words, "%s", words);
    }
}

/* What a status other than 2xx means by itself. */
static answer_verdict judge_status(long status, bool asked, answer *out)
{
    static const struct {
        long status;
        answer_verdict verdict;
        const char *code, *words;
    } rows[] = {
        {400, VERDICT_REFUSED, "bad-request", "Nhà mạng từ chối: yêu cầu không đúng mẫu."},
        {413, VERDICT_REFUSED, "too-large", "Nhà mạng từ chối: yêu cầu quá lớn."},
        {422, VERDICT_REFUSED, "refused", "Nhà mạng từ chối nội dung tin nhắn."},
        {409, VERDICT_REFUSED, "conflict", "Nhà mạng đã nhận một yêu cầu khác cùng số phiếu."},
        {401, VERDICT_NOT_TAKEN, "login", "Nhà mạng không nhận mã truy cập: kiểm tra tệp token."},
        {403, VERDICT_NOT_TAKEN, "login", "Nhà mạng không cho phép: kiểm tra tệp token và hợp đồng."},
        {404, VERDICT_NOT_TAKEN, "wrong-address", "Không có dịch vụ nhắn tin ở địa chỉ đã cấu hình."},
        {405, VERDICT_NOT_TAKEN, "wrong-address", "Không có dịch vụ nhắn tin ở địa chỉ đã cấu hình."},
        {410, VERDICT_NOT_TAKEN, "wrong-address", "Không còn dịch vụ nhắn tin ở địa chỉ đã cấu hình."},
        {408, VERDICT_NOT_TAKEN, "busy", "Nhà mạng đang bận, sẽ gửi lại."},
        {425, VERDICT_NOT_TAKEN, "busy", "Nhà mạng đang bận, sẽ gửi lại."},
        {429, VERDICT_NOT_TAKEN, "busy", "Nhà mạng đang bận, sẽ gửi lại."},
        {503, VERDICT_NOT_TAKEN, "busy", "Nhà mạng đang bận, sẽ gửi lại."},
    };
    if (asked && status == 404) {
        return VERDICT_UNKNOWN_ID;
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].status == status) {
            say(out, rows[i].code, rows[i].words);
            return rows[i].verdict;
        }
    }
    const bool moved = status >= 300 && status < 400;
    say(out, moved ? "wrong-address" : "server-error",
        moved ? "Địa chỉ nhà mạng đã chuyển: sửa cấu hình." : "Máy chủ nhà mạng lỗi.");
    return moved ? VERDICT_NOT_TAKEN : VERDICT_DOUBT;
}

answer_verdict answer_judge(const http_answer *h, const char *id, bool asked, answer *out)
{
    *out = (answer){.state = ANSWER_ACCEPTED};
    if (h->error != KG_OK) {
        say(out, h->error == KG_E_TIMEOUT ? "no-answer" : "gateway-down",
            h->error == KG_E_TIMEOUT ? "Nhà mạng không trả lời kịp." : "Không kết nối được với nhà mạng.");
        return h->sent && !asked ? VERDICT_DOUBT : VERDICT_NOT_TAKEN;
    }
    answer got;
    const bool readable = answer_read(h->body, h->body_bytes, &got) == KG_OK;
    const bool ours = readable && (got.id[0] == '\0' || strcmp(got.id, id) == 0);
    if (h->status >= 200 && h->status < 300) {
        if (!ours) {
            say(out, "rubbish", "Nhà mạng trả lời không đúng mẫu.");
            return VERDICT_DOUBT;
        }
        *out = got;
        if (got.state == ANSWER_REFUSED) {
            say(out, "refused", "Nhà mạng từ chối.");
        }
        return got.state == ANSWER_REFUSED ? VERDICT_REFUSED : VERDICT_TAKEN;
    }
    if (ours && got.state == ANSWER_REFUSED) {
        *out = got; /* its code and reason, whatever the status makes of it */
        if (h->status == 429 && strcmp(got.code, "quota-exceeded") == 0) {
            say(out, "quota-exceeded", "Hết hạn mức gửi tin của nhà mạng.");
            return VERDICT_REFUSED; /* waiting does not bring the quota back tonight: people must know */
        }
    }
    return judge_status(h->status, asked, out);
}

/*
 * manual - stations without a machine path (FM, wired): a task for a named person, final only on confirmation.
 *
 * Shape     <folder>/<station>/<alert>-<playing>.txt, in Vietnamese: whom to call, what to read out word for word, what
 *           to print, until when, how to confirm. What became of it is written at its head; "keng station confirm"
 *           ends it.
 * Recall    The task is marked as withdrawn. Whether it had been read out by then is not known: UNCERTAIN.
 * Restart   A task whose file is there goes on waiting for its confirmation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "airing/airing_config.h"
#include "airing/airing_order.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "drivers.h"
#include "render/render.h"

enum { TASK_TEXT_MAX = 256 * 1024 };

typedef struct manual_config {
    char *folder;
} manual_config;

static const cyaml_schema_field_t manual_fields[] = {
    CYAML_FIELD_STRING_PTR("folder", CYAML_FLAG_POINTER, manual_config, folder, 1, 1024),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t manual_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, manual_config, manual_fields)};

typedef struct manual {
    sink *host;
    char folder[PATH_MAX];
} manual;

static kg_err task_path(const manual *m, const sink_job *job, char out[PATH_MAX], kg_diag *diag)
{
    char ref[AIRING_REF_TEXT];
    airing_ref(job, ref);
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s/%s.txt", m->folder, job->station->id, ref) >= PATH_MAX) {
        return kg_fail(diag, KG_E_LIMIT, "station %s: the task folder's path is too long", job->station->id);
    }
    return KG_OK;
}

/* ---- life ---- */

static void manual_close(void *self)
{
    free(self); /* a task has nothing in memory: its file is all there is */
}

static kg_err manual_open(sink *host, const char *name, const char *path, void **self, kg_diag *diag)
{
    void *data = NULL;
    if (path == NULL) {
        return kg_fail(diag, KG_E_INVALID, "driver %s: kind manual needs a config file with its folder", name);
    }
    kg_err e = yaml_load(path, &manual_schema, &data, diag);
    if (e != KG_OK) {
        return e;
    }
    manual *m = calloc(1, sizeof *m);
    if (m == NULL) {
        e = kg_fail(diag, KG_E_NOMEM, "no memory for driver %s", name);
    } else {
        m->host = host;
        e = airing_path(path, ((const manual_config *)data)->folder, m->folder, diag);
    }
    if (e == KG_OK) {
        e = kg_dir_make(m->folder, 0755, diag);
    }
    yaml_free(&manual_schema, &data);
    if (e != KG_OK) {
        manual_close(m);
        return e;
    }
    *self = m;
    return KG_OK;
}

static kg_err manual_add(void *self, const sink_station *place, kg_diag *diag)
{
    const manual *m = self;
    char folder[PATH_MAX];
    if (place->person == NULL || place->person[0] == '\0') {
        return kg_fail(
            diag, KG_E_INVALID,
            "station %s: a station without a machine path needs the person who is called; write person:", place->id);
    }
    if (strchr(place->id, '/') != NULL ||
        (size_t)snprintf(folder, sizeof folder, "%s/%s", m->folder, place->id) >= sizeof folder) {
        return kg_fail(diag, KG_E_INVALID, "station %s: its id cannot name a folder", place->id);
    }
    return kg_dir_make(folder, 0755, diag);
}

/* ---- the task in words ---- */

static const char *language_line(const char *tag)
{
    return strncmp(tag, "vi", 2) == 0 ? "Tiếng Việt" : tag;
}

static void put_print(const sink_job *job, const char *language, kg_buf *b)
{
    const alert_info *info = alert_info_for(job->alert, language);
    if (info == NULL) {
        return;
    }
    kg_ignore(kg_buf_putf(b, "[%s]\n%s\n", language_line(language), info->headline));
    if (info->description[0] != '\0') {
        kg_ignore(kg_buf_putf(b, "%s\n", info->description));
    }
    if (info->instruction[0] != '\0') {
        kg_ignore(kg_buf_putf(b, "%s\n", info->instruction));
    }
    kg_ignore(kg_buf_putf(b, "Nguồn: %s\n\n", info->sender_name[0] != '\0' ? info->sender_name : job->alert->agency));
}

/* Every append's failure is kept by the buffer and looked at once, by task_write. */
static kg_err task_text(const sink_job *job, const char *head, kg_buf *b, kg_diag *diag)
{
    char issued[KG_TIME_TEXT_MAX], until[KG_TIME_TEXT_MAX];
    kg_buf speech = {0};
    const bool drill = job->alert->status != CAP_ACTUAL;
    kg_err e = render_speech(job->alert, "vi", job->playing, job->labelled, &speech, diag);
    if (e != KG_OK) {
        kg_buf_done(&speech);
        return e;
    }
    kg_time_text(job->alert->sent_ms, KG_VN_OFFSET_MIN, issued);
    kg_time_text(job->ends_ms, KG_VN_OFFSET_MIN, until);
    kg_ignore(kg_buf_putf(b, "%s\n\nBẢN TIN %s%s\n", head, bulletin_class_vi(job->alert->bulletin_class),
                          drill ? " - DIỄN TẬP" : ""));
    kg_ignore(kg_buf_putf(b, "Người thực hiện: %s\n", job->station->person));
    kg_ignore(kg_buf_putf(b, "Trạm: %s (%s)\n", job->station->name, job->station->id));
    kg_ignore(kg_buf_putf(b, "Ban hành lúc: %s\nCòn hiệu lực đến: %s\n", issued, until));
    kg_ignore(kg_buf_putf(b, "Căn cứ: %s\n\n", job->basis != NULL ? job->basis : ""));
    kg_ignore(kg_buf_puts(b, "Trạm này không có đường truyền tự động. Hãy gọi điện cho người thực hiện, đọc hoặc gửi "
                             "nội dung dưới đây để phát trên loa; nơi không có loa thì in ra và dán, hoặc đi báo từng "
                             "hộ.\n\nĐỌC NGUYÊN VĂN TRÊN LOA:\n\n"));
    kg_ignore(kg_buf_puts(b, kg_buf_str(&speech)));
    kg_ignore(kg_buf_puts(b, "\n\nIN RA HOẶC NHẮN TIN:\n\n"));
    kg_buf_done(&speech);
    for (size_t i = 0; i < job->languages.count; i++) {
        put_print(job, job->languages.items[i], b);
    }
    if (job->languages.count == 0) {
        put_print(job, "vi", b);
    }
    kg_ignore(kg_buf_putf(b,
                          "XONG VIỆC, XÁC NHẬN:\n\n"
                          "  keng station confirm %s %s \"ghi chú\"\n\n"
                          "KHÔNG THỰC HIỆN ĐƯỢC, BÁO NGAY:\n\n"
                          "  keng station refuse %s %s \"lý do\"\n",
                          job->station->id, job->id_text, job->station->id, job->id_text));
    return KG_OK;
}

static kg_err task_write(const manual *m, const sink_job *job, const char *head, kg_diag *diag)
{
    char path[PATH_MAX];
    kg_buf text = {.max = TASK_TEXT_MAX};
    kg_err e = task_path(m, job, path, diag);
    if (e == KG_OK) {
        e = task_text(job, head, &text, diag);
    }
    if (e == KG_OK && kg_buf_failed(&text) != KG_OK) {
        e = kg_fail(diag, kg_buf_failed(&text), "the task for station %s is longer than %d bytes", job->station->id,
                    TASK_TEXT_MAX);
    }
    if (e == KG_OK) {
        KG_FAULT("loudspeaker.task");
        e = kg_file_replace(path, text.s, text.len, 0644, diag);
    }
    kg_buf_done(&text);
    return e;
}

/* ---- one task ---- */

static kg_err manual_start(void *self, sink_job *job, kg_diag *diag)
{
    const manual *m = self;
    return task_write(m, job, "VIỆC CẦN LÀM NGAY: CHƯA XÁC NHẬN", diag); /* an error ends the job in the engine */
}

static void manual_stop(void *self, sink_job *job)
{
    const manual *m = self;
    char path[PATH_MAX];
    kg_diag diag = {0};
    const bool told = task_path(m, job, path, &diag) == KG_OK && access(path, F_OK) == 0;
    const bool marked = told && task_write(m, job, "ĐÃ THU HỒI: KHÔNG THỰC HIỆN NỮA", &diag) == KG_OK;
    sink_finish(m->host, job,
                &(sink_outcome){.state = told ? DLV_UNCERTAIN : DLV_PENDING,
                                .certainty = told ? CERTAIN_ACCEPTED : CERTAIN_NONE,
                                .code = told ? "not-confirmed" : "stopped",
                                .detail = !told ? "Đã dừng trước khi giao việc."
                                          : marked ? "Việc đã giao nhưng thu hồi trước khi có xác nhận; không rõ đã "
                                                     "phát hay chưa."
                                                   : "Việc đã giao, chưa xác nhận; không ghi được lệnh thu hồi, hãy "
                                                     "gọi điện cho người thực hiện."});
}

static kg_err manual_ask(void *self, sink_job *job, const char *driver_ref, kg_diag *diag)
{
    const manual *m = self;
    char path[PATH_MAX];
    (void)driver_ref; /* the name of a task is always the same */
    const kg_err e = task_path(m, job, path, diag);
    if (e != KG_OK) {
        return e;
    }
    if (access(path, F_OK) != 0) {
        sink_finish(m->host, job,
                    &(sink_outcome){.state = DLV_PENDING,
                                    .code = "not-written",
                                    .detail = "Việc chưa được giao trước khi khởi động lại."});
    }
    return KG_OK; /* else it waits on, for manual_confirm */
}

static kg_err manual_confirm(void *self, sink_job *job, bool done, const char *who, const char *note, kg_diag *diag)
{
    const manual *m = self;
    kg_diag head, detail;
    char at[KG_TIME_TEXT_MAX];
    const int64_t now = sink_now_ms(m->host);
    if (who == NULL || who[0] == '\0') {
        return kg_fail(diag, KG_E_INVALID, "Phải ghi tên người xác nhận.");
    }
    kg_time_text(now, KG_VN_OFFSET_MIN, at);
    (void)kg_fail(&head, KG_OK, "%s lúc %s bởi %s%s%s", done ? "ĐÃ THỰC HIỆN, XÁC NHẬN" : "KHÔNG THỰC HIỆN, BÁO", at,
                  who, note != NULL && note[0] != '\0' ? ": " : "", note != NULL ? note : "");
    const kg_err e = task_write(m, job, head.text, diag);
    if (e != KG_OK) {
        return e;
    }
    (void)kg_fail(&detail, KG_OK, "%s %s%s%s", done ? "Người xác nhận:" : "Không thực hiện được, người báo:", who,
                  note != NULL && note[0] != '\0' ? ". " : "", note != NULL ? note : "");
    sink_finish(m->host, job,
                &(sink_outcome){.state = done ? DLV_DONE : DLV_REFUSED,
                                .certainty = done ? CERTAIN_FINISHED : CERTAIN_NONE,
                                .code = done ? "" : "person-refused",
                                .detail = detail.text,
                                .ended_ms = done ? now : 0});
    return KG_OK;
}

const sink_driver manual_driver = {
    .kind = "manual",
    .exclusive = false, /* tasks do not drown each other out */
    .open = manual_open,
    .add = manual_add,
    .start = manual_start,
    .stop = manual_stop,
    .ask = manual_ask,
    .confirm = manual_confirm,
    .close = manual_close,
};

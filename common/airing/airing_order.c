#include "airing/airing_order.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "render/render.h"

void airing_ref(const sink_job *job, char out[AIRING_REF_TEXT])
{
    (void)snprintf(out, AIRING_REF_TEXT, "%s-%u", job->id_text, job->playing);
}

static void put_text(json_t *o, const char *key, const char *s)
{
    /* what fails here is missing in the object, which is found out at the end by counting */
    (void)json_object_set_new(o, key, json_string(s != NULL ? s : ""));
}

static void put_time(json_t *o, const char *key, int64_t ms)
{
    char text[KG_TIME_TEXT_MAX] = "";
    if (ms != 0) {
        kg_time_text(ms, KG_VN_OFFSET_MIN, text);
    }
    put_text(o, key, text);
}

static void put_list(json_t *o, const char *key, const alert_texts *list)
{
    json_t *a = json_array();
    for (size_t i = 0; i < list->count; i++) {
        (void)json_array_append_new(a, json_string(list->items[i]));
    }
    (void)json_object_set_new(o, key, a);
}

/* A text that cannot be rendered in this language is left empty: the order still stands. */
static void put_render(json_t *o, const char *key, const sink_job *job, bool crawl)
{
    kg_buf text = {0};
    kg_diag why = {0};
    const kg_err e = crawl ? render_crawl(job->alert, "vi", &text, &why)
                           : render_speech(job->alert, "vi", job->playing, job->labelled, &text, &why);
    put_text(o, key, e == KG_OK ? kg_buf_str(&text) : "");
    kg_buf_done(&text);
}

static const char *headline(const alert *a)
{
    const alert_info *info = alert_info_for(a, "vi");
    return info != NULL ? info->headline : "";
}

enum { ORDER_KEYS = 28 };

static void fill(json_t *o, const sink_job *job, const airing_order *order, const char *ref)
{
    const alert *a = job->alert;
    const alert_info *info = alert_info_for(a, "vi");
    put_text(o, "state", order->state);
    put_text(o, "id", ref);
    put_text(o, "alert", job->id_text);
    (void)json_object_set_new(o, "playing", json_integer((json_int_t)job->playing));
    (void)json_object_set_new(o, "repeat_labelled", json_boolean(job->labelled));
    put_text(o, "station", job->station->id);
    put_text(o, "station_name", job->station->name);
    put_text(o, "medium", medium_text(job->station->medium));
    put_text(o, "mode", policy_mode_text(job->mode));
    (void)json_object_set_new(o, "full_text_must_carry", json_boolean(a->bulletin_class == CLASS_URGENT));
    put_text(o, "class", bulletin_class_text(a->bulletin_class));
    put_text(o, "class_vi", bulletin_class_vi(a->bulletin_class));
    put_text(o, "status", cap_status_text(a->status));
    put_text(o, "type", cap_msg_type_text(a->msg_type));
    (void)json_object_set_new(o, "drill", json_boolean(a->status != CAP_ACTUAL));
    put_text(o, "ordered_by", a->agency);
    put_text(o, "ordered_by_name", info != NULL ? info->sender_name : "");
    put_text(o, "rule", job->rule);
    put_text(o, "legal_basis", job->basis);
    put_time(o, "issued", a->sent_ms);
    put_time(o, "until", job->ends_ms);
    put_time(o, "written", order->written_ms);
    put_text(o, "headline", headline(a));
    put_render(o, "read_out", job, false);
    put_text(o, "wav", order->wav);
    put_text(o, "crawl_file", order->crawl);
    put_list(o, "languages", &job->languages);
    put_list(o, "communes", &job->communes);
}

kg_err airing_order_json(const sink_job *job, const airing_order *order, kg_buf *out, kg_diag *diag)
{
    char ref[AIRING_REF_TEXT];
    json_t *o = json_object();
    airing_ref(job, ref);
    fill(o, job, order, ref);
    char *text = json_object_size(o) == ORDER_KEYS ? json_dumps(o, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    json_decref(o);
    kg_err e = text != NULL ? kg_buf_puts(out, text) : KG_E_NOMEM;
    free(text);
    if (e == KG_OK) {
        e = kg_buf_put(out, "\n", 1);
    }
    return e == KG_OK ? KG_OK : kg_fail(diag, e, "no memory to write the order");
}

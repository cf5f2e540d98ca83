#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cap/gate.h"
#include "cap/sniff.h"
#include "policy/route.h"
#include "render/render.h"
#include "shortform/shortform.h"
#include "tool.h"

enum { OPT_CONFIG, OPT_CLASS, OPT_ALL, DOCUMENT_MAX = 16 * 1024 * 1024 };

static void print_list(const char *label, const alert_texts *t)
{
    for (size_t i = 0; i < t->count; i++) {
        (void)printf("%s%s", i == 0 ? label : " ", t->items[i]);
    }
}

static void print_repeat(const policy_repeat *r)
{
    for (size_t i = 0; i < r->after_count; i++) {
        (void)printf("%s%u", i == 0 ? "  lặp sau (giây): " : " ", (unsigned)r->after_s[i]);
    }
    if (r->every_s > 0) {
        (void)printf("  rồi mỗi %u giây%s", (unsigned)r->every_s, r->on_the_hour ? ", vào đầu giờ" : "");
    }
}

static void print_line(const plan_line *line)
{
    (void)printf("%s %s (%s, %s)\n    %s  [%s; căn cứ: %s]\n", line->in ? "CÓ   " : "KHÔNG", line->station->id,
                 line->station->name, medium_vi(line->station->medium), line->why, line->rule, line->basis);
    if (!line->in) {
        return;
    }
    (void)printf("    cách phát: %s", policy_mode_text(line->mode));
    print_repeat(&line->repeat);
    print_list("  ngôn ngữ: ", &line->languages);
    print_list("  thiếu bản dịch: ", &line->gaps);
    (void)printf("\n");
    if (line->communes.count > 1) {
        print_list("    xã, phường: ", &line->communes);
        (void)printf("\n");
    }
}

static void print_texts(const alert *a)
{
    kg_diag diag = {{0}};
    kg_buf text = {0};
    sms_size size = {0};
    if (render_sms(a, &text, &size, &diag) == KG_OK) {
        (void)printf("Tin nhắn (%u ký tự, %u phần): %s\n", size.units, size.parts, kg_buf_str(&text));
    } else {
        (void)printf("Tin nhắn: %s\n", diag.text);
    }
    kg_buf_done(&text);
    if (render_speech(a, "vi", 0, false, &text, &diag) == KG_OK) {
        (void)printf("Lời đọc: %s\n", kg_buf_str(&text));
    } else {
        (void)printf("Lời đọc: %s\n", diag.text);
    }
    kg_buf_done(&text);
}

static kg_err explain_one(const alert *a, const areas *ar, const policy *p, bool all, kg_diag *diag)
{
    plan plan_ = {0};
    const kg_err e = route_explain(p, ar, a, kg_clock_wall_ms(), &plan_, diag);
    if (e != KG_OK) {
        return e;
    }
    (void)printf("%s / %s, %s (%s), %s\n", a->sender, a->identifier, bulletin_class_vi(a->bulletin_class),
                 bulletin_class_text(a->bulletin_class), cap_status_text(a->status));
    kg_arena mem = {0};
    const char *missing = route_missing_content(a, &mem);
    if (missing != NULL) {
        (void)printf("Thiếu nội dung bắt buộc (Luật 18/2023/QH15, Điều 6): %s\n", missing);
    }
    kg_arena_done(&mem);
    if (plan_.hold != NULL) {
        (void)printf("GIỮ LẠI chờ người quyết định: %s (%s)\n", plan_.hold_vi, plan_.hold);
    }
    (void)printf("%zu trong %zu trạm, %zu xã, phường\n", plan_.in_count, plan_.count, plan_.communes);
    if (plan_.notes != NULL && plan_.notes[0] != '\0') {
        (void)printf("%s\n", plan_.notes);
    }
    print_texts(a);
    for (size_t i = 0; i < plan_.count; i++) {
        if (plan_.lines[i].in || all) {
            print_line(&plan_.lines[i]);
        }
    }
    plan_done(&plan_);
    return KG_OK;
}

/* A document that states no class is explained as the class the operator names, never as a guess. */
static kg_err settle_class(alert *a, const char *class, kg_diag *diag)
{
    if (cap_states(a, "CAP-VN:class")) {
        return KG_OK;
    }
    const int c = class != NULL ? bulletin_class_read(class) : -1;
    if (c < 0) {
        return kg_fail(
            diag, KG_E_INVALID,
            "the document states no bulletin class (CAP-VN:class); say which with --class routine, priority or "
            "urgent");
    }
    a->bulletin_class = (bulletin_class)c;
    return KG_OK;
}

/* As the publisher of keng.yaml's agency would send it. */
static kg_err settle_rest(const operator_config *c, const areas *ar, alert *a)
{
    a->expires_ms = alert_latest_end(a);
    const char *copy = a->agency[0] == '\0' ? kg_arena_str(&a->mem, c->agency) : NULL;
    a->agency = copy != NULL ? copy : a->agency;
    return areas_describe(ar, a);
}

static kg_err explain_cap(const operator_config *c, const cli_args *args, const kg_buf *text, const areas *ar,
                          const policy *p, kg_diag *diag)
{
    cap_reading reading;
    kg_err e = gate_read(text->s, text->len, INT_MIN, &reading, diag);
    if (e != KG_OK) {
        return e;
    }
    for (size_t i = 0; i < reading.count && e == KG_OK; i++) {
        cap_document *d = &reading.documents[i];
        for (size_t k = 0; k < d->finding_count; k++) {
            (void)printf("%s: %s: %s\n", cap_verdict_text(d->findings[k].verdict), d->findings[k].rule,
                         d->findings[k].sentence);
        }
        if (!d->has_alert || d->verdict == CAP_REFUSE) {
            e = kg_fail(diag, KG_E_INVALID, "the document is refused; see above");
        } else {
            e = settle_class(&d->alert, args->values[OPT_CLASS], diag);
        }
        if (e == KG_OK) {
            e = settle_rest(c, ar, &d->alert);
        }
        if (e == KG_OK) {
            e = explain_one(&d->alert, ar, p, args->values[OPT_ALL] != NULL, diag);
        }
    }
    cap_reading_done(&reading);
    return e;
}

static kg_err explain_short(const operator_config *c, const cli_args *args, const kg_buf *text, const areas *ar,
                            const policy *p, kg_diag *diag)
{
    alert a;
    const shortform_source source = {args->positional[0], text, c->sender, c->agency, kg_clock_wall_ms()};
    kg_err e = shortform_read(&source, &a, diag);
    if (e == KG_OK) {
        e = settle_rest(c, ar, &a);
        e = e == KG_OK ? explain_one(&a, ar, p, args->values[OPT_ALL] != NULL, diag) : e;
        alert_done(&a);
    }
    return e;
}

int explain_command(const cli_args *args)
{
    operator_config c = {0};
    kg_diag diag = {{0}};
    areas *ar = NULL;
    policy *p = NULL;
    kg_buf text = {0};
    const int status = tool_config(args, &c);
    if (status != CLI_OK) {
        return status;
    }
    kg_err e = operator_rules(&c, &ar, &p, &diag);
    if (e == KG_OK) {
        e = kg_file_read(args->positional[0], DOCUMENT_MAX, &text, &diag);
    }
    if (e == KG_OK) {
        e = cap_is_xml(kg_buf_str(&text), text.len) ? explain_cap(&c, args, &text, ar, p, &diag)
                                                    : explain_short(&c, args, &text, ar, p, &diag);
    }
    kg_buf_done(&text);
    policy_free(&p);
    areas_free(&ar);
    operator_config_done(&c);
    return e == KG_OK ? CLI_OK : tool_fail(e, &diag);
}

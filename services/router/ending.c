#include "ending.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static void note_nomem(core *c, kg_err e)
{
    if (e != KG_OK) {
        kg_diag diag = {0};
        (void)core_fail(c, kg_fail(&diag, e, "no memory to end an alert"), &diag);
    }
}

static kg_err take_position(void *ctx, const journal_alert *a)
{
    *(journal_alert *)ctx = (journal_alert){.position = a->position, .held = a->held, .lifecycle = a->lifecycle};
    return KG_OK;
}

static void by_text(alert_id by, char out[ALERT_ID_TEXT])
{
    static const alert_id nobody = {{0}};
    out[0] = '\0';
    if (!alert_id_same(by, nobody)) {
        alert_id_text(by, out);
    }
}

/* A loose reference was taken for this alert, and the exact one came: it is alive again. What was recalled stays so;
 * airing it again is a person's decision. */
static void revive(core *c, const char *id)
{
    core_audit(c, "keng-router", "alert.revived", id,
               "its end was meant for another alert; nothing is aired again by itself");
    kg_log(KG_WARNING, "alert.revived", KG_TEXT("alert", id));
}

void ending_begin(core *c, alert_id id, life_state why, alert_id by)
{
    journal_alert found = {0};
    kg_diag diag = {0};
    if (!core_batch(c)) {
        return;
    }
    kg_err e = journal_find(c->journal, id, take_position, &found, &diag);
    if (e == KG_E_NOTFOUND) {
        return; /* a tombstone: the alert itself has not come yet */
    }
    book_alert *a = e == KG_OK ? core_alert(c, id, found.position) : NULL; /* as it was before */
    if (e == KG_OK) {
        e = journal_set_lifecycle(c->journal, found.position, (uint8_t)why, c->now_ms, &diag);
    }
    if (e != KG_OK) {
        (void)core_fail(c, e, &diag);
        return;
    }
    char id_text[ALERT_ID_TEXT];
    char by_id[ALERT_ID_TEXT];
    char action[32];
    alert_id_text(id, id_text);
    if (why == LIFE_ALIVE) {
        revive(c, id_text);
        return;
    }
    by_text(by, by_id);
    (void)snprintf(action, sizeof action, "alert.%s", life_state_text(why));
    core_audit(c, "keng-router", action, id_text, "by=%s", by_id);
    kg_log(KG_INFO, action, KG_TEXT("alert", id_text), KG_TEXT("by", by_id));
    core_unhold(c, found.position);
    if (a != NULL) {
        if (a->lifecycle == LIFE_ALIVE) {
            a->waiting++;
            note_nomem(c, core_lines_put(&c->ending, a->position, 0));
        }
        a->lifecycle = (uint8_t)why;
    }
}

void ending_all(core *c, const life_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        ending_begin(c, changes->items[i].id, changes->items[i].state, changes->items[i].by);
    }
}

static void expire_held(core *c)
{
    for (size_t i = 0; i < c->held_count;) {
        const core_held h = c->held[i];
        if (h.expires_ms > c->now_ms || !core_batch(c)) {
            i++;
            continue;
        }
        kg_diag diag = {0};
        const kg_err e = journal_set_lifecycle(c->journal, h.position, LIFE_EXPIRED, c->now_ms, &diag);
        if (e != KG_OK) {
            (void)core_fail(c, e, &diag);
            return;
        }
        char position[32];
        (void)snprintf(position, sizeof position, "position %llu", (unsigned long long)h.position);
        core_audit(c, "keng-router", "held.expired", position, "nobody decided before its end");
        kg_log(KG_WARNING, "held.expired", KG_INT("position", h.position));
        core_unhold(c, h.position);
    }
}

void ending_due(core *c)
{
    if (c->now_ms < c->next_expiry_ms) {
        return;
    }
    life_changes over = {0};
    int64_t next = INT64_MAX;
    const kg_err e = life_expire(c->life, c->now_ms, &over, &next);
    note_nomem(c, e);
    if (e == KG_OK) {
        ending_all(c, &over);
    }
    expire_held(c);
    for (size_t i = 0; i < c->held_count; i++) {
        next = c->held[i].expires_ms < next ? c->held[i].expires_ms : next;
    }
    c->next_expiry_ms = next;
}

static void end_line(core *c, book_alert *a, uint32_t line)
{
    book_line *l = &a->lines[line];
    if (l->state == BOOK_ABSENT) {
        return;
    }
    static const char *const codes[LIFE_STATE_COUNT] = {[LIFE_ALIVE] = "",
                                                        [LIFE_SUPERSEDED] = "superseded",
                                                        [LIFE_CANCELLED] = "cancelled",
                                                        [LIFE_EXPIRED] = "expired",
                                                        [LIFE_WITHDRAWN] = "withdrawn"};
    const core_outcome o = {.time_ms = c->now_ms, .code = codes[a->lifecycle], .detail = "ended before it was offered"};
    switch (recall_of((dlv_state)l->state, l->offered)) {
    case RECALL_DROP:
        (void)core_step(c, a, line, recall_event((life_state)a->lifecycle), &o);
        break;
    case RECALL_TELL:
        if (l->state == DLV_PENDING) {
            (void)queue_remove(c->queue, l->station, journal_number(a->position, line)); /* not to be offered again */
        }
        l->told = false;
        note_nomem(c, core_lines_put(&c->tell, a->position, line));
        c->counts[COUNT_RECALLED]++;
        break;
    case RECALL_NOTHING:
    default:
        break;
    }
}

bool ending_work(core *c)
{
    size_t left = ENDING_SLICE;
    while (left > 0 && c->ending.count > 0 && c->failed == KG_OK) {
        core_line *work = &c->ending.items[c->ending.count - 1];
        book_alert *a = book_find(c->book, work->position);
        while (a != NULL && work->line < a->count && left > 0) {
            end_line(c, a, work->line++);
            left--;
        }
        if (a == NULL || work->line >= a->count) {
            c->ending.count--;
            if (a != NULL && a->open > 0) {
                note_nomem(c, core_lines_put(&c->ended, a->position, 0)); /* keeps a->waiting */
            } else if (a != NULL) {
                a->waiting--;
                /* Lines to tell still name it: it goes when they have been told (sinks_tell). */
            }
        }
    }
    return c->ending.count > 0;
}

void ending_greet(core *c, const bool *said)
{
    for (size_t i = 0; i < c->ended.count; i++) {
        book_alert *a = book_find(c->book, c->ended.items[i].position);
        for (uint32_t j = 0; a != NULL && j < a->count; j++) {
            const book_line *l = &a->lines[j];
            if (l->state != BOOK_ABSENT && l->station != CORE_NO_STATION && said[l->station] &&
                !dlv_final((dlv_state)l->state)) {
                note_nomem(c, core_lines_put(&c->tell, a->position, j));
            }
        }
    }
}

static void overdue_line(core *c, book_alert *a, uint32_t line)
{
    const book_line *l = &a->lines[line];
    const bool silent = c->now_ms >= a->expires_ms + ENDING_SILENT_MS;
    if (l->state == DLV_PENDING || l->state == DLV_OFFERED) {
        const core_outcome o = {
            .time_ms = c->now_ms, .code = "expired", .detail = "the sink never said that it holds it"};
        (void)core_step(c, a, line, recall_event((life_state)a->lifecycle), &o);
    } else if (silent && (l->state == DLV_HELD || l->state == DLV_STARTED)) {
        const core_outcome o = {
            .time_ms = c->now_ms, .code = "sink-silent", .detail = "the sink held it and never said what became of it"};
        (void)core_step(c, a, line, DLV_DOUBT, &o);
    }
}

void ending_overdue(core *c)
{
    for (size_t i = 0; i < c->ended.count;) {
        book_alert *a = book_find(c->book, c->ended.items[i].position);
        for (uint32_t j = 0; a != NULL && c->now_ms >= a->expires_ms && j < a->count; j++) {
            overdue_line(c, a, j);
        }
        if (a == NULL || a->open == 0) {
            c->ended.items[i] = c->ended.items[--c->ended.count];
            if (a != NULL) {
                a->waiting--;
                core_settle(c, a->position);
            }
        } else {
            i++;
        }
    }
}

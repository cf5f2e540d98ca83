/*
 * live - stations that hear the sound while it is sent: RTP receivers and the sound card.
 *
 * Settings  rtp: "239.1.2.3:5004", "[ff15::1]:5004", "10.0.0.7:5004@eth1" (the interface wins over the file's).
 *           alsa: a device as in asound.conf, "" the default one.
 * Proof     rtp: packets (nothing comes back). alsa: finished (the card took the sound at its own pace).
 * Resume    Not in mid-sentence: what was cut is played again from its beginning by the engine, labelled.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "airing/airing_config.h"
#include "base/fault.h"
#include "drivers.h"
#include "gstplay.h"
#include "speech/attention.h"
#include "speech/wav.h"

enum { TTL_DEFAULT = 8, TTL_MAX = 255, TESTS_MAX = 8 };

typedef struct live_config {
    airing_speech *speech;
    char *interface;
    unsigned ttl;
} live_config;

static const cyaml_schema_field_t live_fields[] = {
    AIRING_SPEECH_FIELD(live_config, speech),
    CYAML_FIELD_STRING_PTR("interface", CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, live_config, interface, 1, 15),
    CYAML_FIELD_UINT("ttl", CYAML_FLAG_OPTIONAL, live_config, ttl),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t live_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, live_config, live_fields)};

typedef struct live live;

typedef struct trial { /* a self-test under way */
    live *owner;
    const sink_station *place; /* NULL: free */
    gstplay *play;
} trial;

struct live {
    sink *host;
    airing *airing;
    live_config *config;
    bool alsa;
    char test_wav[PATH_MAX];
    int64_t test_ms;
    trial trials[TESTS_MAX];
};

typedef struct playing {
    live *owner;
    sink_job *job;
    gstplay *play;
    int64_t started_ms;
} playing;

/* ---- settings ---- */

static kg_err bad_settings(const sink_station *s, const char *why, kg_diag *diag)
{
    return kg_fail(diag, KG_E_INVALID,
                   "station %s: settings \"%s\": %s; write address:port or address:port@interface, e.g. "
                   "\"239.1.2.3:5004@eth0\"",
                   s->id, s->settings, why);
}

static bool address_read(const char *s, size_t n, char out[GSTPLAY_HOST_MAX])
{
    struct in_addr v4;
    struct in6_addr v6;
    const bool brackets = n > 2 && s[0] == '[' && s[n - 1] == ']';
    if (brackets) {
        s++;
        n -= 2;
    }
    if (n == 0 || n >= GSTPLAY_HOST_MAX) {
        return false;
    }
    memcpy(out, s, n);
    out[n] = '\0';
    return brackets ? inet_pton(AF_INET6, out, &v6) == 1 : inet_pton(AF_INET, out, &v4) == 1;
}

static kg_err target_read(const live *v, const sink_station *s, gstplay_target *t, kg_diag *diag)
{
    const char *text = s->settings;
    *t = (gstplay_target){.ttl = v->config->ttl};
    if (v->alsa) {
        const int n = snprintf(t->device, sizeof t->device, "%s", text[0] != '\0' ? text : "default");
        return n > 0 && (size_t)n < sizeof t->device
                   ? KG_OK
                   : kg_fail(diag, KG_E_INVALID, "station %s: the name of the sound device is too long", s->id);
    }
    const char *at = strchr(text, '@');
    const size_t n = at != NULL ? (size_t)(at - text) : strlen(text);
    const char *interface = at != NULL ? at + 1 : v->config->interface != NULL ? v->config->interface : "";
    const char *colon = memrchr(text, ':', n);
    char *end = NULL;
    if (colon == NULL || !address_read(text, (size_t)(colon - text), t->host)) {
        return bad_settings(s, "no numeric address", diag);
    }
    const unsigned long port = strtoul(colon + 1, &end, 10);
    if (end == colon + 1 || end != text + n || port == 0 || port > 65535) {
        return bad_settings(s, "no port from 1 to 65535", diag);
    }
    if (strlen(interface) >= IF_NAMESIZE || (at != NULL && interface[0] == '\0')) {
        return bad_settings(s, "no name of an interface after @", diag);
    }
    t->port = (unsigned)port;
    (void)snprintf(t->interface, sizeof t->interface, "%s", interface);
    return KG_OK;
}

/* GStreamer sends over any interface when the one it was told is not there; a warning must not go astray so. */
static kg_err target_reach(const live *v, const sink_station *s, gstplay_target *t, kg_diag *diag)
{
    kg_err e = target_read(v, s, t, diag);
    if (e == KG_OK && t->interface[0] != '\0' && if_nametoindex(t->interface) == 0) {
        e = kg_fail(diag, KG_E_IO, "station %s: this machine has no network interface \"%s\"", s->id, t->interface);
    }
    return e;
}

/* ---- life ---- */

static void live_close(void *self);

static kg_err config_load(live *v, const char *path, kg_diag *diag)
{
    void *data = NULL;
    kg_err e = KG_OK;
    if (path != NULL) {
        e = yaml_load(path, &live_schema, &data, diag);
    } else {
        data = calloc(1, sizeof(live_config));
    }
    if (e == KG_OK && data == NULL) {
        e = kg_fail(diag, KG_E_NOMEM, "no memory");
    }
    if (e != KG_OK) {
        return e;
    }
    v->config = data;
    v->config->ttl = v->config->ttl != 0 ? v->config->ttl : TTL_DEFAULT;
    return v->config->ttl <= TTL_MAX ? KG_OK : kg_fail(diag, KG_E_INVALID, "%s: ttl: at most %d", path, TTL_MAX);
}

/* What a self-test sounds like: the quiet signal of a routine bulletin, and no words. */
static kg_err test_sound(live *v, const char *name, kg_diag *diag)
{
    kg_buf samples = {0};
    const attention_signal *a = attention_of(CLASS_ROUTINE, false);
    if ((size_t)snprintf(v->test_wav, sizeof v->test_wav, "%s/%s/self-test.wav", sink_state_dir(v->host), name) >=
        sizeof v->test_wav) {
        return kg_fail(diag, KG_E_LIMIT, "%s: the path is too long", sink_state_dir(v->host));
    }
    kg_err e = attention_put(a, &samples);
    e = e == KG_OK ? wav_write(v->test_wav, &samples, diag) : kg_fail(diag, e, "no memory for the test sound");
    v->test_ms = attention_ms(a);
    kg_buf_done(&samples);
    return e;
}

static kg_err live_open(sink *host, const char *name, const char *path, bool alsa, void **self, kg_diag *diag)
{
    live *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for driver %s", name);
    }
    v->host = host;
    v->alsa = alsa;
    kg_err e = gstplay_open(alsa, diag);
    if (e == KG_OK) {
        e = config_load(v, path, diag);
    }
    if (e == KG_OK) {
        e = airing_open_with(host, name, path, v->config->speech, &v->airing, diag);
    }
    if (e == KG_OK) {
        e = test_sound(v, name, diag);
    }
    if (e != KG_OK) {
        live_close(v);
        return e;
    }
    *self = v;
    return KG_OK;
}

static kg_err rtp_open(sink *host, const char *name, const char *path, void **self, kg_diag *diag)
{
    return live_open(host, name, path, false, self, diag);
}

static kg_err alsa_open(sink *host, const char *name, const char *path, void **self, kg_diag *diag)
{
    return live_open(host, name, path, true, self, diag);
}

static void playing_free(sink_job *job)
{
    airing_sound *s = airing_sound_of(job);
    playing *p = s != NULL ? s->own : NULL;
    if (p != NULL) {
        gstplay_stop(&p->play);
        free(p);
        s->own = NULL;
    }
}

static void forget(void *ctx, sink_job *job)
{
    (void)ctx;
    playing_free(job);
}

static void live_close(void *self)
{
    live *v = self;
    if (v == NULL) {
        return;
    }
    for (size_t i = 0; i < TESTS_MAX; i++) {
        gstplay_stop(&v->trials[i].play);
    }
    if (v->airing != NULL) {
        airing_each(v->airing, forget, NULL);
        airing_close(&v->airing);
    }
    void *data = v->config;
    yaml_free(&live_schema, &data);
    free(v);
}

static kg_err live_add(void *self, const sink_station *place, kg_diag *diag)
{
    gstplay_target t;
    return target_read(self, place, &t, diag);
}

/* ---- playing ---- */

static kg_err live_prepare(void *self, sink_job *job, kg_diag *diag)
{
    live *v = self;
    return airing_prepare(v->airing, job, diag);
}

static sink_outcome outcome_of(const playing *p, const gstplay_end *end, kg_diag *detail)
{
    const live *v = p->owner;
    sink_outcome o = {.started_ms = p->started_ms, .ended_ms = sink_now_ms(v->host), .detail = detail->text};
    detail->text[0] = '\0';
    if (end->good && end->all) {
        o.state = DLV_DONE;
        o.certainty = v->alsa ? CERTAIN_FINISHED : CERTAIN_PACKETS;
    } else if (!v->alsa && end->sent_bytes == 0) {
        o = (sink_outcome){.state = DLV_PENDING, .code = "network-down", .detail = detail->text};
        (void)kg_fail(detail, KG_E_IO, "Không gửi được gói nào ra mạng: %s", end->why);
    } else if (v->alsa && !end->good) {
        o.state = DLV_UNCERTAIN;
        o.code = "sound-card";
        (void)kg_fail(detail, KG_E_IO, "Thiết bị âm thanh báo lỗi giữa chừng: %s", end->why);
    } else {
        o.state = DLV_PARTIAL;
        o.certainty = CERTAIN_PACKETS;
        o.code = "packets-lost";
        (void)kg_fail(detail, KG_E_IO, "Mạng chỉ nhận %llu byte của bản tin: %s", (unsigned long long)end->sent_bytes,
                      end->why);
    }
    return o;
}

static void on_end(void *ctx, const gstplay_end *end)
{
    playing *p = ctx;
    live *v = p->owner;
    sink_job *job = p->job;
    kg_diag detail;
    const sink_outcome o = outcome_of(p, end, &detail);
    sink_device(v->host, job->station, o.state == DLV_DONE, -1, end->why);
    playing_free(job);
    KG_FAULT("loudspeaker.ended");
    airing_finish(v->airing, job, &o);
}

static kg_err live_start(void *self, sink_job *job, kg_diag *diag)
{
    live *v = self;
    airing_sound *s = airing_sound_of(job);
    gstplay_target target;
    playing *p = NULL;
    kg_err e = target_reach(v, job->station, &target, diag);
    if (e == KG_OK && (p = calloc(1, sizeof *p)) == NULL) {
        e = kg_fail(diag, KG_E_NOMEM, "no memory for a playing");
    }
    if (e == KG_OK) {
        *p = (playing){.owner = v, .job = job, .started_ms = sink_now_ms(v->host)};
        s->own = p;
        const gstplay_order order = {
            .target = &target, .wav = s->wav, .length_ms = s->length_ms, .done = on_end, .ctx = p};
        KG_FAULT("loudspeaker.start");
        e = gstplay_start(sink_loop(v->host), &order, &p->play, diag);
    }
    if (e == KG_OK) {
        /* cppcheck-suppress memleak ; p is the sound's own part now */
        return KG_OK;
    }
    /* ended here rather than by the engine, which could not release the sound; nothing was heard */
    kg_diag detail;
    (void)kg_fail(&detail, e, "Không bắt đầu phát được: %s", diag->text);
    playing_free(job);
    airing_finish(v->airing, job,
                  &(sink_outcome){.state = kg_err_class(e) == KG_TEMP ? DLV_PENDING : DLV_FAILED,
                                  .code = "not-started",
                                  .detail = detail.text});
    /* cppcheck-suppress memleak ; playing_free released it */
    return KG_OK;
}

static void live_stop(void *self, sink_job *job)
{
    live *v = self;
    airing_sound *s = airing_sound_of(job);
    const playing *p = s->own;
    const int64_t now = sink_now_ms(v->host);
    if (p == NULL) {
        airing_abandon(v->airing, job);
        return;
    }
    /* A card's buffer may hold what nobody has heard yet; for the record it counts as heard. */
    const bool heard = v->alsa || gstplay_sent(p->play) > 0;
    const sink_outcome o = {.state = heard ? DLV_PARTIAL : DLV_PENDING,
                            .certainty = !heard    ? CERTAIN_NONE
                                         : v->alsa ? CERTAIN_STARTED
                                                   : CERTAIN_PACKETS,
                            .code = "interrupted",
                            .detail = "Đã ngừng phát giữa chừng.",
                            .started_ms = heard ? p->started_ms : 0,
                            .ended_ms = heard ? now : 0};
    playing_free(job);
    airing_finish(v->airing, job, &o);
}

/* ---- self-test ---- */

static void on_trial_end(void *ctx, const gstplay_end *end)
{
    trial *t = ctx;
    const sink_station *place = t->place;
    kg_diag detail = {0};
    const bool good = end->good && end->all;
    if (good) {
        (void)kg_fail(&detail, KG_OK, "%s",
                      t->owner->alsa ? "Đã phát tín hiệu thử qua thiết bị âm thanh."
                                     : "Đã gửi đủ tín hiệu thử ra mạng; loa không phản hồi được.");
    } else {
        (void)kg_fail(&detail, KG_OK, "Tín hiệu thử không phát được: %s", end->why);
    }
    sink_device(t->owner->host, place, good, -1, end->why);
    gstplay_stop(&t->play); /* end->why goes with it */
    t->place = NULL;
    sink_tested(t->owner->host, place, good, detail.text);
}

static kg_err live_test(void *self, const sink_station *place, kg_diag *diag)
{
    live *v = self;
    gstplay_target target;
    trial *t = NULL;
    for (size_t i = 0; i < TESTS_MAX && t == NULL; i++) {
        t = v->trials[i].place == NULL ? &v->trials[i] : NULL;
    }
    if (t == NULL) {
        return kg_fail(diag, KG_E_AGAIN, "%d self-tests are under way; try again in a few seconds", TESTS_MAX);
    }
    kg_err e = target_reach(v, place, &target, diag);
    if (e == KG_OK) {
        *t = (trial){.owner = v, .place = place};
        const gstplay_order order = {
            .target = &target, .wav = v->test_wav, .length_ms = v->test_ms, .done = on_trial_end, .ctx = t};
        e = gstplay_start(sink_loop(v->host), &order, &t->play, diag);
        t->place = e == KG_OK ? place : NULL;
    }
    return e;
}

const sink_driver rtp_driver = {
    .kind = "rtp",
    .exclusive = true,
    .open = rtp_open,
    .add = live_add,
    .prepare = live_prepare,
    .start = live_start,
    .stop = live_stop,
    .test = live_test,
    .close = live_close,
};

const sink_driver alsa_driver = {
    .kind = "alsa",
    .exclusive = true,
    .open = alsa_open,
    .add = live_add,
    .prepare = live_prepare,
    .start = live_start,
    .stop = live_stop,
    .test = live_test,
    .close = live_close,
};

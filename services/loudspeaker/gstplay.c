#include "gstplay.h"

#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACKET_NS = 10 * 1000 * 1000, WHY_MAX = 256, RTP_PAYLOAD = 96, BYTES_A_MS = 96, PARTS_MAX = 6 };

struct gstplay {
    loop *loop;
    GstElement *pipeline; /* owns the elements */
    GstElement *last;     /* lent: the sink element */
    GstBus *bus;
    int bus_fd;
    loop_timer *limit;
    bool rtp;
    int64_t length_ms;
    gstplay_done done;
    void *ctx;
    char why[WHY_MAX];
};

static const char *const rtp_parts[] = {"filesrc", "wavparse", "audioconvert", "capsfilter", "rtpL16pay", "udpsink"};
static const char *const alsa_parts[] = {"filesrc", "wavparse", "audioconvert", "audioresample", "alsasink"};

kg_err gstplay_open(bool alsa, kg_diag *diag)
{
    const char *const *parts = alsa ? alsa_parts : rtp_parts;
    const size_t count = alsa ? sizeof alsa_parts / sizeof alsa_parts[0] : sizeof rtp_parts / sizeof rtp_parts[0];
    GError *error = NULL;
    if (!gst_init_check(NULL, NULL, &error)) {
        const kg_err e = kg_fail(diag, KG_E_IO, "GStreamer does not start: %s", error != NULL ? error->message : "?");
        g_clear_error(&error);
        return e;
    }
    for (size_t i = 0; i < count; i++) {
        GstElementFactory *f = gst_element_factory_find(parts[i]);
        if (f == NULL) {
            return kg_fail(diag, KG_E_NOTFOUND,
                           "GStreamer lacks \"%s\"; install gstreamer1.0-plugins-base, -plugins-good and, for sound "
                           "cards, gstreamer1.0-alsa",
                           parts[i]);
        }
        gst_object_unref(f);
    }
    return KG_OK;
}

static void gstplay_free(gstplay *g)
{
    if (g->bus_fd >= 0) {
        loop_unwatch(g->loop, g->bus_fd);
    }
    if (g->pipeline != NULL) {
        (void)gst_element_set_state(g->pipeline, GST_STATE_NULL); /* joins its threads */
        gst_object_unref(g->pipeline);
    }
    if (g->bus != NULL) {
        gst_object_unref(g->bus);
    }
    loop_timer_free(&g->limit);
    free(g);
}

uint64_t gstplay_sent(const gstplay *g)
{
    guint64 sent = 0;
    if (g->rtp) {
        g_object_get(g->last, "bytes-served", &sent, NULL);
    }
    return sent;
}

void gstplay_stop(gstplay **g)
{
    if (g != NULL && *g != NULL) {
        gstplay_free(*g);
        *g = NULL;
    }
}

static void end(gstplay *g, bool good)
{
    const uint64_t sent = gstplay_sent(g);
    guint64 wanted = 0;
    if (g->rtp) {
        g_object_get(g->last, "bytes-to-serve", &wanted, NULL);
    }
    const bool all = !g->rtp || (sent >= wanted && sent >= (uint64_t)g->length_ms * BYTES_A_MS);
    const gstplay_end e = {.good = good, .all = good && all, .sent_bytes = sent, .why = g->why};
    loop_timer_stop(g->limit);
    /* freed by whoever started it, through gstplay_stop */
    g->done(g->ctx, &e);
}

static void remember(gstplay *g, GError *error)
{
    if (g->why[0] == '\0' && error != NULL) {
        (void)snprintf(g->why, sizeof g->why, "%s", error->message);
    }
    g_clear_error(&error);
}

/* True when the message ended the playing. */
static bool heard(gstplay *g, GstMessage *m, bool *good)
{
    GError *error = NULL;
    switch ((int)GST_MESSAGE_TYPE(m)) {
    case GST_MESSAGE_EOS:
        *good = true;
        return true;
    case GST_MESSAGE_ERROR:
        gst_message_parse_error(m, &error, NULL);
        remember(g, error);
        *good = false;
        return true;
    case GST_MESSAGE_WARNING: /* a packet that the network did not take is only this */
        gst_message_parse_warning(m, &error, NULL);
        remember(g, error);
        return false;
    default:
        return false;
    }
}

static void on_bus(void *ctx, int fd, unsigned events)
{
    gstplay *g = ctx;
    bool ended = false, good = false;
    (void)fd;
    (void)events;
    for (GstMessage *m; !ended && (m = gst_bus_pop(g->bus)) != NULL;) {
        ended = heard(g, m, &good);
        gst_message_unref(m);
    }
    if (ended) {
        loop_unwatch(g->loop, g->bus_fd);
        g->bus_fd = -1;
        end(g, good);
    }
}

static void on_limit(void *ctx)
{
    gstplay *g = ctx;
    (void)snprintf(g->why, sizeof g->why, "the sound did not end in time");
    if (g->bus_fd >= 0) {
        loop_unwatch(g->loop, g->bus_fd);
        g->bus_fd = -1;
    }
    end(g, false);
}

static void rtp_set(GstElement *const *parts, const gstplay_target *t)
{
    GstCaps *caps = gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING, "S16BE", "rate", G_TYPE_INT, 48000,
                                        "channels", G_TYPE_INT, 1, NULL);
    g_object_set(parts[3], "caps", caps, NULL);
    gst_caps_unref(caps);
    g_object_set(parts[4], "pt", (guint)RTP_PAYLOAD, "min-ptime", (gint64)PACKET_NS, "max-ptime", (gint64)PACKET_NS,
                 NULL);
    g_object_set(parts[5], "host", t->host, "port", (gint)t->port, "ttl-mc", (gint)t->ttl, NULL);
    if (t->interface[0] != '\0') {
        g_object_set(parts[5], "multicast-iface", t->interface, NULL);
    }
}

static kg_err build(gstplay *g, const gstplay_order *o, kg_diag *diag)
{
    const char *const *names = g->rtp ? rtp_parts : alsa_parts;
    const size_t count = g->rtp ? sizeof rtp_parts / sizeof rtp_parts[0] : sizeof alsa_parts / sizeof alsa_parts[0];
    GstElement *parts[PARTS_MAX] = {NULL};
    g->pipeline = gst_pipeline_new(NULL);
    if (g->pipeline == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "GStreamer has no memory for a pipeline");
    }
    for (size_t i = 0; i < count; i++) {
        parts[i] = gst_element_factory_make(names[i], NULL);
        if (parts[i] == NULL || !gst_bin_add(GST_BIN(g->pipeline), parts[i])) {
            return kg_fail(diag, KG_E_IO, "GStreamer cannot make \"%s\"", names[i]);
        }
        if (i > 0 && !gst_element_link(parts[i - 1], parts[i])) {
            return kg_fail(diag, KG_E_IO, "GStreamer cannot join \"%s\" to \"%s\"", names[i - 1], names[i]);
        }
    }
    g->last = parts[count - 1];
    g_object_set(parts[0], "location", o->wav, NULL);
    if (g->rtp) {
        rtp_set(parts, o->target);
    } else {
        g_object_set(g->last, "device", o->target->device, NULL);
    }
    return KG_OK;
}

static kg_err watch(gstplay *g, kg_diag *diag)
{
    /* cppcheck-suppress legacyUninitvar ; it is initialised here, and filled in below */
    GPollFD fd = {.fd = -1, .events = 0, .revents = 0};
    g->bus = gst_element_get_bus(g->pipeline);
    gst_bus_get_pollfd(g->bus, &fd);
    g->bus_fd = fd.fd;
    kg_err e = loop_watch(g->loop, g->bus_fd, LOOP_READ, on_bus, g);
    if (e == KG_OK) {
        e = loop_timer_new(g->loop, on_limit, g, &g->limit);
    }
    return e == KG_OK ? KG_OK : kg_fail(diag, e, "the playing cannot be watched");
}

kg_err gstplay_start(loop *l, const gstplay_order *o, gstplay **out, kg_diag *diag)
{
    gstplay *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for a playing");
    }
    *g = (gstplay){.loop = l,
                   .bus_fd = -1,
                   .rtp = o->target->device[0] == '\0',
                   .length_ms = o->length_ms,
                   .done = o->done,
                   .ctx = o->ctx};
    kg_err e = build(g, o, diag);
    if (e == KG_OK) {
        e = watch(g, diag);
    }
    if (e == KG_OK && gst_element_set_state(g->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        GstMessage *m = gst_bus_pop_filtered(g->bus, GST_MESSAGE_ERROR);
        bool good = false;
        if (m != NULL) {
            (void)heard(g, m, &good);
            gst_message_unref(m);
        }
        e = kg_fail(diag, KG_E_IO, "the sound cannot be started: %s", g->why[0] != '\0' ? g->why : "no reason given");
    }
    if (e != KG_OK) {
        gstplay_free(g);
        return e;
    }
    loop_timer_set(g->limit, o->length_ms + GSTPLAY_SLACK_MS);
    *out = g;
    return KG_OK;
}

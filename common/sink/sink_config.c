#include "sink/sink_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml.h"

typedef struct raw_router {
    char *name, *urgent, *other, *key;
} raw_router;

typedef struct raw_driver {
    char *name, *kind, *config;
} raw_driver;

typedef struct raw_station {
    char *id, *name, *medium, *driver, *person, *settings;
    char **languages;
    unsigned languages_count;
} raw_station;

typedef struct raw_hours {
    char *quiet;
    char **sessions;
    unsigned sessions_count;
} raw_hours;

typedef struct raw_config {
    char *name, *key, *root, *manifest, *state, *control;
    char **communes;
    unsigned communes_count;
    raw_router *routers;
    unsigned routers_count;
    raw_driver *drivers;
    unsigned drivers_count;
    raw_station *stations;
    unsigned stations_count;
    raw_hours *hours;
} raw_config;

enum { TEXT_MAX = 1024, KEY_HEX = 2 * KEY_BYTES, LANGUAGES_MAX = 16, COMMUNE_FILES_MAX = 64 };

static const cyaml_schema_value_t text_entry = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TEXT_MAX)};

static const cyaml_schema_field_t router_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, raw_router, name, 1, STATION_ID_MAX),
    CYAML_FIELD_STRING_PTR("urgent", CYAML_FLAG_POINTER, raw_router, urgent, 1, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("other", CYAML_FLAG_POINTER, raw_router, other, 1, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, raw_router, key, KEY_HEX, KEY_HEX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t router_entry = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_router, router_fields)};

static const cyaml_schema_field_t driver_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, raw_driver, name, 1, STATION_ID_MAX),
    CYAML_FIELD_STRING_PTR("kind", CYAML_FLAG_POINTER, raw_driver, kind, 1, STATION_ID_MAX),
    CYAML_FIELD_STRING_PTR("config", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_driver, config, 1, TEXT_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t driver_entry = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_driver, driver_fields)};

static const cyaml_schema_field_t station_fields[] = {
    CYAML_FIELD_STRING_PTR("id", CYAML_FLAG_POINTER, raw_station, id, 1, STATION_ID_MAX),
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, raw_station, name, 1, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("medium", CYAML_FLAG_POINTER, raw_station, medium, 1, STATION_ID_MAX),
    CYAML_FIELD_STRING_PTR("driver", CYAML_FLAG_POINTER, raw_station, driver, 1, STATION_ID_MAX),
    CYAML_FIELD_STRING_PTR("person", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_station, person, 0, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("settings", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_station, settings, 0, TEXT_MAX),
    CYAML_FIELD_SEQUENCE("languages", CYAML_FLAG_POINTER, raw_station, languages, &text_entry, 1, LANGUAGES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t station_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_station, station_fields)};

static const cyaml_schema_field_t hours_fields[] = {
    CYAML_FIELD_STRING_PTR("quiet", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_hours, quiet, 1, 16),
    CYAML_FIELD_SEQUENCE("sessions", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_hours, sessions, &text_entry, 0,
                         HOURS_SESSIONS_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, raw_config, name, 1, STATION_ID_MAX),
    CYAML_FIELD_STRING_PTR("key", CYAML_FLAG_POINTER, raw_config, key, 1, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("root", CYAML_FLAG_POINTER, raw_config, root, KEY_HEX, KEY_HEX),
    CYAML_FIELD_STRING_PTR("manifest", CYAML_FLAG_POINTER, raw_config, manifest, 1, TEXT_MAX),
    CYAML_FIELD_SEQUENCE("communes", CYAML_FLAG_POINTER, raw_config, communes, &text_entry, 1, COMMUNE_FILES_MAX),
    CYAML_FIELD_STRING_PTR("state", CYAML_FLAG_POINTER, raw_config, state, 1, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("control", CYAML_FLAG_POINTER, raw_config, control, 1, TEXT_MAX),
    CYAML_FIELD_SEQUENCE("routers", CYAML_FLAG_POINTER, raw_config, routers, &router_entry, 1, SINK_ROUTERS_MAX),
    CYAML_FIELD_SEQUENCE("drivers", CYAML_FLAG_POINTER, raw_config, drivers, &driver_entry, 1, SINK_DRIVERS_MAX),
    CYAML_FIELD_SEQUENCE("stations", CYAML_FLAG_POINTER, raw_config, stations, &station_entry, 1, SINK_STATIONS_MAX),
    CYAML_FIELD_MAPPING_PTR("hours", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_config, hours, hours_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t config_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, raw_config, config_fields)};

/* ---- checks behind the schema ---- */

typedef struct builder {
    const char *path;
    uint32_t media;
    sink_config *out;
    kg_diag *diag;
    kg_err e;
} builder;

#define complain(b, ...) ((b)->e = (b)->e != KG_OK ? (b)->e : kg_fail((b)->diag, KG_E_INVALID, __VA_ARGS__))

static const char *copy(builder *b, const char *text)
{
    const char *t = kg_arena_str(&b->out->mem, text != NULL ? text : "");
    if (t == NULL) {
        b->e = KG_E_NOMEM;
        return "";
    }
    return t;
}

/* Relative to the file's folder. */
static const char *place(builder *b, const char *file)
{
    const char *slash = strrchr(b->path, '/');
    if (file[0] == '/' || slash == NULL) {
        return copy(b, file);
    }
    const size_t folder = (size_t)(slash - b->path) + 1;
    char *p = kg_arena_alloc(&b->out->mem, folder + strlen(file) + 1);
    if (p == NULL) {
        b->e = KG_E_NOMEM;
        return "";
    }
    memcpy(p, b->path, folder);
    memcpy(p + folder, file, strlen(file) + 1);
    return p;
}

static const char *socket_place(builder *b, const char *endpoint)
{
    static const char ipc[] = "ipc://";
    if (strncmp(endpoint, ipc, sizeof ipc - 1) != 0) {
        if (strncmp(endpoint, "tcp://", 6) != 0) {
            complain(b, "%s: '%s' is no endpoint; write tcp://HOST:PORT or ipc://FILE", b->path, endpoint);
        }
        return copy(b, endpoint);
    }
    const char *file = place(b, endpoint + sizeof ipc - 1);
    char *p = kg_arena_alloc(&b->out->mem, sizeof ipc + strlen(file));
    if (p == NULL) {
        b->e = KG_E_NOMEM;
        return "";
    }
    memcpy(p, ipc, sizeof ipc - 1);
    memcpy(p + sizeof ipc - 1, file, strlen(file) + 1);
    return p;
}

static void *array(builder *b, size_t count, size_t size)
{
    void *p = kg_arena_array(&b->out->mem, count, size);
    if (p == NULL) {
        b->e = KG_E_NOMEM;
    }
    return p;
}

static alert_texts texts(builder *b, char *const *items, size_t count, bool files)
{
    alert_texts t = {array(b, count, sizeof *t.items), 0};
    for (; t.items != NULL && t.count < count; t.count++) {
        t.items[t.count] = files ? place(b, items[t.count]) : copy(b, items[t.count]);
    }
    return t;
}

static void build_routers(builder *b, const raw_config *raw)
{
    sink_config *c = b->out;
    c->routers = array(b, raw->routers_count, sizeof *c->routers);
    for (size_t i = 0; b->e == KG_OK && i < raw->routers_count; i++) {
        const raw_router *r = &raw->routers[i];
        c->routers[i] =
            (sink_router_config){copy(b, r->name), socket_place(b, r->urgent), socket_place(b, r->other), {{0}}};
        if (!public_read(r->key, &c->routers[i].key)) {
            complain(b, "%s: router '%s': key is not %d hexadecimal digits", b->path, r->name, KEY_HEX);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(c->routers[k].name, r->name) == 0) {
                complain(b, "%s: router '%s' is there twice", b->path, r->name);
            }
        }
        c->router_count++;
    }
}

static void build_drivers(builder *b, const raw_config *raw)
{
    sink_config *c = b->out;
    c->drivers = array(b, raw->drivers_count, sizeof *c->drivers);
    for (size_t i = 0; b->e == KG_OK && i < raw->drivers_count; i++) {
        const raw_driver *d = &raw->drivers[i];
        c->drivers[i] =
            (sink_driver_config){copy(b, d->name), copy(b, d->kind), d->config != NULL ? place(b, d->config) : NULL};
        for (size_t k = 0; k < i; k++) {
            if (strcmp(c->drivers[k].name, d->name) == 0) {
                complain(b, "%s: driver '%s' is there twice", b->path, d->name);
            }
        }
        c->driver_count++;
    }
}

static size_t driver_index(const sink_config *c, const char *name)
{
    size_t i = 0;
    while (i < c->driver_count && strcmp(c->drivers[i].name, name) != 0) {
        i++;
    }
    return i;
}

static void build_station(builder *b, const raw_station *r, sink_station_config *out)
{
    const int kind = medium_read(r->medium);
    out->driver = driver_index(b->out, r->driver);
    if (kind < 0) {
        complain(b, "%s: station '%s': '%s' is no medium; write sms, radio, tv, loudspeaker, board or feed", b->path,
                 r->id, r->medium);
    } else if ((b->media & 1U << (unsigned)kind) == 0) {
        complain(b, "%s: station '%s': this program does not serve %s; give the station to the sink that does", b->path,
                 r->id, r->medium);
    }
    if (out->driver == b->out->driver_count) {
        complain(b, "%s: station '%s': there is no driver '%s' under drivers", b->path, r->id, r->driver);
    }
    out->station = (sink_station){
        .id = copy(b, r->id),
        .name = copy(b, r->name),
        .person = copy(b, r->person),
        .medium = kind < 0 ? MEDIUM_SMS : (medium)kind,
        .languages = texts(b, r->languages, r->languages_count, false),
        .settings = copy(b, r->settings),
    };
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const sink_station_config *)a)->station.id, ((const sink_station_config *)b)->station.id);
}

static void build_stations(builder *b, const raw_config *raw)
{
    sink_config *c = b->out;
    c->stations = array(b, raw->stations_count, sizeof *c->stations);
    for (size_t i = 0; b->e == KG_OK && i < raw->stations_count; i++) {
        build_station(b, &raw->stations[i], &c->stations[i]);
        c->station_count++;
    }
    if (b->e != KG_OK) {
        return;
    }
    qsort(c->stations, c->station_count, sizeof *c->stations, by_id);
    for (size_t i = 1; i < c->station_count; i++) {
        if (strcmp(c->stations[i - 1].station.id, c->stations[i].station.id) == 0) {
            complain(b, "%s: station '%s' is there twice", b->path, c->stations[i].station.id);
        }
    }
}

static void build_hours(builder *b, const raw_hours *raw)
{
    hours *h = &b->out->hours;
    *h = (hours){.quiet = {21 * 60, 5 * 60}};
    if (raw == NULL) {
        return;
    }
    if (raw->quiet != NULL && !hours_read(raw->quiet, &h->quiet)) {
        complain(b, "%s: hours.quiet: '%s' is no span of time; write it as 21:00-05:00", b->path, raw->quiet);
    }
    for (size_t i = 0; i < raw->sessions_count; i++) {
        if (!hours_read(raw->sessions[i], &h->sessions[i])) {
            complain(b, "%s: hours.sessions: '%s' is no span of time; write it as 05:00-05:30", b->path,
                     raw->sessions[i]);
        }
        h->session_count++;
    }
}

kg_err sink_config_load(const char *path, uint32_t media, sink_config *out, kg_diag *diag)
{
    void *data = NULL;
    *out = (sink_config){0};
    const kg_err e = yaml_load(path, &config_schema, &data, diag);
    if (e != KG_OK) {
        return e;
    }
    const raw_config *raw = data;
    builder b = {.path = path, .media = media, .out = out, .diag = diag, .e = KG_OK};
    out->name = copy(&b, raw->name);
    out->key = place(&b, raw->key);
    out->manifest = place(&b, raw->manifest);
    out->state = place(&b, raw->state);
    out->control = socket_place(&b, raw->control);
    out->communes = texts(&b, raw->communes, raw->communes_count, true);
    if (!public_read(raw->root, &out->root)) {
        complain(&b, "%s: root is not %d hexadecimal digits", path, KEY_HEX);
    }
    build_hours(&b, raw->hours);
    build_routers(&b, raw);
    build_drivers(&b, raw);
    build_stations(&b, raw);
    yaml_free(&config_schema, &data);
    if (b.e != KG_OK) {
        sink_config_done(out);
    }
    return b.e;
}

void sink_config_done(sink_config *c)
{
    kg_arena_done(&c->mem);
    *c = (sink_config){0};
}

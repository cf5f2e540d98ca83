#include "lifecycle/life_index.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 256 };

static size_t text_size(const char *s)
{
    return strlen(s) + 1;
}

/* Copies s to *at and moves *at behind it. */
static const char *keep(char **at, const char *s)
{
    const size_t n = text_size(s);
    char *copy = *at;
    memcpy(copy, s, n);
    *at += n;
    return copy;
}

life_node *life_node_make(const alert *a)
{
    size_t bytes = text_size(a->sender) + text_size(a->identifier);
    for (size_t i = 0; i < a->references.count; i++) {
        bytes += text_size(a->references.items[i].sender) + text_size(a->references.items[i].identifier);
    }
    /* one block: the node, its references, its texts */
    life_node *n = calloc(1, sizeof *n + a->references.count * sizeof(life_ref) + bytes);
    if (n == NULL) {
        return NULL;
    }
    n->refs = (life_ref *)(n + 1);
    char *at = (char *)(n->refs + a->references.count);
    n->id = alert_own_id(a);
    n->sender = keep(&at, a->sender);
    n->identifier = keep(&at, a->identifier);
    n->sent_s = a->sent_ms / 1000;
    n->expires_ms = a->expires_ms != 0 ? a->expires_ms : INT64_MAX;
    n->status = a->status;
    n->type = a->msg_type;
    n->ref_count = a->references.count;
    for (size_t i = 0; i < n->ref_count; i++) {
        const alert_ref *r = &a->references.items[i];
        n->refs[i] = (life_ref){.sender = keep(&at, r->sender),
                                .identifier = keep(&at, r->identifier),
                                .sent_s = r->sent_ms / 1000,
                                .from = n};
        n->foreign = n->foreign || (r->sender[0] != '\0' && strcmp(r->sender, a->sender) != 0);
    }
    return n;
}

void life_node_free(life_node *n)
{
    free(n);
}

static size_t name_hash(const char *s)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *s != '\0'; s++) {
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    }
    return (size_t)(h ^ h >> 29);
}

static size_t id_hash(alert_id id)
{
    uint64_t h;
    memcpy(&h, id.b, sizeof h); /* already a hash */
    return (size_t)h;
}

static void link_node(life_index *x, life_node *n)
{
    const size_t mask = x->buckets - 1;
    life_node **id = &x->by_id[id_hash(n->id) & mask], **name = &x->by_name[name_hash(n->identifier) & mask];
    n->next_id = *id;
    *id = n;
    n->next_name = *name;
    *name = n;
    for (size_t i = 0; i < n->ref_count; i++) {
        life_ref **ref = &x->by_ref[name_hash(n->refs[i].identifier) & mask];
        n->refs[i].next = *ref;
        *ref = &n->refs[i];
    }
}

static void relink(life_index *x)
{
    memset(x->by_id, 0, x->buckets * sizeof(life_node *));
    memset(x->by_name, 0, x->buckets * sizeof(life_node *));
    memset(x->by_ref, 0, x->buckets * sizeof(life_ref *));
    for (size_t i = 0; i < x->count; i++) {
        link_node(x, x->nodes[i]);
    }
}

static kg_err grow_tables(life_index *x, size_t wanted)
{
    size_t buckets = x->buckets != 0 ? x->buckets : FIRST_BUCKETS;
    while (buckets < wanted) {
        buckets *= 2;
    }
    if (buckets == x->buckets) {
        return KG_OK;
    }
    life_index larger = *x;
    larger.buckets = buckets;
    larger.by_id = calloc(buckets, sizeof(life_node *));
    larger.by_name = calloc(buckets, sizeof(life_node *));
    larger.by_ref = calloc(buckets, sizeof(life_ref *));
    if (larger.by_id == NULL || larger.by_name == NULL || larger.by_ref == NULL) {
        free(larger.by_id);
        free(larger.by_name);
        free(larger.by_ref);
        return KG_E_NOMEM;
    }
    free(x->by_id);
    free(x->by_name);
    free(x->by_ref);
    *x = larger;
    relink(x);
    return KG_OK;
}

static kg_err grow_nodes(life_index *x)
{
    if (x->count < x->room) {
        return KG_OK;
    }
    const size_t room = x->room != 0 ? 2 * x->room : FIRST_BUCKETS;
    if (room > SIZE_MAX / sizeof(life_node *)) {
        return KG_E_NOMEM;
    }
    life_node **nodes = realloc(x->nodes, room * sizeof(life_node *));
    if (nodes == NULL) {
        return KG_E_NOMEM;
    }
    x->nodes = nodes;
    x->room = room;
    return KG_OK;
}

kg_err life_index_put(life_index *x, life_node *n)
{
    kg_err e = grow_nodes(x);
    if (e == KG_OK) {
        e = grow_tables(x, x->count + 1 > x->refs + n->ref_count ? x->count + 1 : x->refs + n->ref_count);
    }
    if (e == KG_OK) {
        x->nodes[x->count++] = n;
        x->refs += n->ref_count;
        link_node(x, n);
    }
    return e;
}

life_node *life_index_find(const life_index *x, alert_id id)
{
    life_node *n = x->buckets != 0 ? x->by_id[id_hash(id) & (x->buckets - 1)] : NULL;
    while (n != NULL && !alert_id_same(n->id, id)) {
        n = n->next_id;
    }
    return n;
}

life_node *life_index_named(const life_index *x, const char *identifier)
{
    return x->buckets != 0 ? x->by_name[name_hash(identifier) & (x->buckets - 1)] : NULL;
}

life_ref *life_index_naming(const life_index *x, const char *identifier)
{
    return x->buckets != 0 ? x->by_ref[name_hash(identifier) & (x->buckets - 1)] : NULL;
}

void life_index_sweep(life_index *x, bool (*drop)(const life_node *n, int64_t now_ms), int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < x->count; i++) {
        if (drop(x->nodes[i], now_ms)) {
            x->refs -= x->nodes[i]->ref_count;
            life_node_free(x->nodes[i]);
        } else {
            x->nodes[kept++] = x->nodes[i];
        }
    }
    x->count = kept;
    if (x->buckets != 0) {
        relink(x);
    }
}

void life_index_done(life_index *x)
{
    for (size_t i = 0; i < x->count; i++) {
        life_node_free(x->nodes[i]);
    }
    free(x->nodes);
    free(x->by_id);
    free(x->by_name);
    free(x->by_ref);
    *x = (life_index){0};
}

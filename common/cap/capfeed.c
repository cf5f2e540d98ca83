#include "cap/capfeed.h"

#include <string.h>

#include "cap/capmap.h"

static const char atom_space[] = "http://www.w3.org/2005/Atom";

typedef struct finder {
    kg_arena *mem;
    capfeed *out;
    size_t room;
    size_t alerts_seen;
    bool nomem;
} finder;

static bool in_space(const xmlNode *n, const char *space)
{
    return n->ns != NULL && n->ns->href != NULL && strcmp((const char *)n->ns->href, space) == 0;
}

static capfeed_entry *add(finder *f)
{
    if (f->out->count == CAP_DOCUMENTS_MAX) {
        f->out->cut = true;
        return NULL;
    }
    if (f->out->count == f->room) { /* grow by doubling; the arena keeps the old, smaller ones */
        const size_t room = f->room != 0 ? 2 * f->room : 16;
        capfeed_entry *more = kg_arena_array(f->mem, room, sizeof *more);
        if (more == NULL) {
            f->nomem = true;
            return NULL;
        }
        if (f->out->count > 0) {
            memcpy(more, f->out->entries, f->out->count * sizeof *more);
        }
        f->out->entries = more;
        f->room = room;
    }
    return &f->out->entries[f->out->count++];
}

/* The element after n in document order, within top; not below n when `skip`. */
static xmlNode *following(xmlNode *n, const xmlNode *top, bool skip)
{
    if (!skip && n->children != NULL) {
        return n->children;
    }
    while (n != top && n->next == NULL) {
        n = n->parent;
    }
    return n == top ? NULL : n->next;
}

/* Every alert within top, each an entry of its own; counts those named so in other namespaces, too. */
static size_t alerts_within(finder *f, xmlNode *top, const capfeed_entry *about)
{
    size_t found = 0;
    for (xmlNode *n = top; n != NULL; n = following(n, top, false)) {
        if (!capmap_named(n, "alert")) {
            continue;
        }
        const size_t number = f->alerts_seen++;
        bool inside_another = false;
        for (const xmlNode *up = n->parent; up != NULL && n != top && up != top->parent; up = up->parent) {
            inside_another = inside_another || (capmap_named(up, "alert") && capmap_version(up) != CAP_NOT);
        }
        capfeed_entry *e = capmap_version(n) != CAP_NOT && !inside_another ? add(f) : NULL;
        if (e != NULL) {
            *e = (capfeed_entry){n, number, about->id, about->link, about->href};
            found++;
        }
    }
    return found;
}

static const char *attribute(finder *f, const xmlNode *n, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(n, (const xmlChar *)name);
    const char *copy = value != NULL ? kg_arena_str(f->mem, (const char *)value) : NULL;
    f->nomem = f->nomem || (value != NULL && copy == NULL);
    xmlFree(value);
    return copy;
}

static bool attribute_is(const xmlNode *n, const char *name, const char *want)
{
    xmlChar *value = xmlGetNoNsProp(n, (const xmlChar *)name);
    const bool same = value != NULL && strcmp((const char *)value, want) == 0;
    xmlFree(value);
    return same;
}

/* One entry or item: what is said about it, then the alerts it carries. */
static void read_entry(finder *f, xmlNode *entry)
{
    capfeed_entry about = {0};
    bool cap_link = false;
    for (const xmlNode *c = entry->children; c != NULL; c = c->next) {
        if (capmap_named(c, "id") || capmap_named(c, "guid")) {
            about.id = about.id == NULL ? c : about.id;
        } else if (capmap_named(c, "link") && !cap_link) {
            cap_link = attribute_is(c, "type", "application/cap+xml");
            if (cap_link || (about.link == NULL &&
                             (!xmlHasProp(c, (const xmlChar *)"rel") || attribute_is(c, "rel", "alternate")))) {
                about.link = c;
                about.href = attribute(f, c, "href");
            }
        }
    }
    if (alerts_within(f, entry, &about) == 0) {
        capfeed_entry *e = add(f);
        if (e != NULL) {
            *e = about;
        }
    }
}

static void read_entries(finder *f, xmlNode *parent, const char *name)
{
    for (xmlNode *c = parent->children; c != NULL; c = c->next) {
        if (capmap_named(c, name)) {
            read_entry(f, c);
        } else if (capmap_named(c, "link") && attribute_is(c, "rel", "next")) {
            f->out->next = attribute(f, c, "href");
        } else if (c->type == XML_ELEMENT_NODE) {
            for (xmlNode *n = c; n != NULL; n = following(n, c, false)) {
                f->alerts_seen += capmap_named(n, "alert") ? 1 : 0; /* stray ones count, so that numbers agree */
            }
        }
    }
}

bool capfeed_find(xmlNode *root, kg_arena *mem, capfeed *out)
{
    finder f = {.mem = mem, .out = out};
    *out = (capfeed){.container = true, .next = ""};
    if (capmap_version(root) != CAP_NOT && capmap_named(root, "alert")) {
        out->container = false;
        const capfeed_entry none = {0};
        (void)alerts_within(&f, root, &none);
    } else if (capmap_named(root, "feed") && in_space(root, atom_space)) {
        read_entries(&f, root, "entry");
    } else if (capmap_named(root, "rss")) {
        for (xmlNode *c = root->children; c != NULL; c = c->next) {
            if (capmap_named(c, "channel")) {
                read_entries(&f, c, "item");
            }
        }
    } else if (capmap_named(root, "alerts") || capmap_named(root, "EDXLDistribution")) {
        const capfeed_entry none = {0};
        (void)alerts_within(&f, root, &none);
    } else {
        out->container = false;
    }
    out->next = out->next != NULL ? out->next : "";
    return !f.nomem;
}

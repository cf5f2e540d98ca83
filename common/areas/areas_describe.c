#include <string.h>

#include "areas/areas.h"
#include "base/buf.h"

static kg_err put_names(const areas *a, const alert_area *area, kg_buf *out)
{
    size_t communes = 0;
    bool whole = false;
    for (size_t i = 0; i < area->geocodes.count; i++) {
        communes += strcmp(area->geocodes.items[i].name, AREAS_COMMUNE) == 0 ? 1 : 0;
        whole = whole || strcmp(area->geocodes.items[i].name, AREAS_PROVINCE) == 0;
    }
    if (whole) {
        return kg_buf_puts(out, "toàn tỉnh");
    }
    if (communes > AREAS_NAMED) {
        return kg_buf_putf(out, "%zu xã, phường", communes);
    }
    for (size_t i = 0; i < area->geocodes.count; i++) {
        const commune *c = areas_find(a, area->geocodes.items[i].value);
        if (c != NULL) {
            kg_ignore(kg_buf_putf(out, "%s%s %s", out->len > 0 ? ", " : "", c->kind, c->name)); /* judged at the end */
        }
    }
    return kg_buf_failed(out);
}

kg_err areas_describe(const areas *a, alert *al)
{
    for (size_t i = 0; i < al->infos.count; i++) {
        for (size_t k = 0; k < al->infos.items[i].areas.count; k++) {
            alert_area *area = &al->infos.items[i].areas.items[k];
            kg_buf names = {0};
            kg_err e = area->description[0] == '\0' ? put_names(a, area, &names) : KG_OK;
            if (e == KG_OK && names.len > 0) {
                const char *copy = kg_arena_str(&al->mem, names.s);
                e = copy != NULL ? KG_OK : KG_E_NOMEM;
                area->description = copy != NULL ? copy : "";
            }
            kg_buf_done(&names);
            if (e != KG_OK) {
                return e;
            }
        }
    }
    return KG_OK;
}

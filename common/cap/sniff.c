#include "cap/sniff.h"

#include <string.h>

bool cap_is_xml(const void *bytes, size_t n)
{
    const unsigned char *s = bytes;
    if (n >= 2 && ((s[0] == 0xFE && s[1] == 0xFF) || (s[0] == 0xFF && s[1] == 0xFE))) {
        return true;
    }
    size_t i = n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (i < n && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n')) {
        i++;
    }
    return i < n && s[i] == '<';
}

bool cap_states(const alert *a, const char *parameter)
{
    for (size_t i = 0; i < a->infos.count; i++) {
        const alert_pairs *p = &a->infos.items[i].parameters;
        for (size_t k = 0; k < p->count; k++) {
            if (strcmp(p->items[k].name, parameter) == 0) {
                return true;
            }
        }
    }
    return false;
}

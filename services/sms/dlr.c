#include "dlr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DELIVERED = 1, FAILED = 2, BUFFERED = 4, AT_SMSC = 8, REFUSED = 16, NOT_KNOWN = 64, STATUS_MAX = 255 };

/* A decimal number that ends at `end`; its length, 0 when it is none or over `most`. */
static size_t read_number(const char *s, char end, uint64_t most, uint64_t *out)
{
    const size_t n = strspn(s, "0123456789");
    if (n == 0 || n > 20 || s[n] != end) {
        return 0;
    }
    errno = 0;
    *out = strtoull(s, NULL, 10);
    return errno == 0 && *out <= most ? n : 0;
}

bool dlr_read(const char *path, dlr *out)
{
    static const char start[] = "/dlr/";
    dlr d = {{0}, 0, 0, 0};
    if (strncmp(path, start, sizeof start - 1) != 0) {
        return false;
    }
    const char *p = path + sizeof start - 1;
    const size_t key = strspn(p, "0123456789abcdef");
    if (key == 0 || key >= sizeof d.key || p[key] != '/') {
        return false;
    }
    memcpy(d.key, p, key);
    p += key + 1;
    uint64_t status = 0;
    size_t n = read_number(p, '/', UINT64_MAX, &d.batch);
    if (n == 0) {
        return false;
    }
    p += n + 1;
    n = read_number(p, '/', UINT64_MAX, &d.mark);
    if (n == 0) {
        return false;
    }
    p += n + 1;
    n = read_number(p, '\0', STATUS_MAX, &status);
    if (n == 0) {
        n = read_number(p, '/', STATUS_MAX, &status);
        status |= n > 0 && strstr(p + n, "stat:UNKNOWN") != NULL ? (uint64_t)NOT_KNOWN : 0U;
    }
    if (n == 0) {
        return false;
    }
    d.status = (unsigned)status;
    *out = d;
    return true;
}

bool dlr_is_final(dlr_stand s)
{
    return s >= STAND_FAILED;
}

dlr_stand dlr_step(dlr_stand now, unsigned status)
{
    dlr_stand to = now;
    if ((status & DELIVERED) != 0) {
        to = STAND_DELIVERED;
    } else if ((status & REFUSED) != 0) {
        to = STAND_REFUSED;
    } else if ((status & NOT_KNOWN) != 0) {
        to = STAND_DOUBT;
    } else if ((status & FAILED) != 0) {
        to = STAND_FAILED;
    } else if ((status & AT_SMSC) != 0) {
        to = STAND_SENT;
    } else if ((status & BUFFERED) != 0) {
        to = STAND_QUEUED;
    }
    return to > now ? to : now;
}

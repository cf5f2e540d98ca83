/* The path of a delivery report: anybody who reaches the port can send one. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dlr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *path = malloc(size + 1);
    if (path == NULL) {
        return 0;
    }
    memcpy(path, data, size);
    path[size] = '\0';
    dlr d;
    if (dlr_read(path, &d)) {
        assert(strspn(d.key, "0123456789abcdef") == strlen(d.key) && d.key[0] != '\0' && d.status <= 255);
        for (unsigned s = STAND_WAITING; s <= STAND_DELIVERED; s++) {
            assert(dlr_step((dlr_stand)s, d.status) >= (dlr_stand)s);
        }
    }
    free(path);
    return 0;
}

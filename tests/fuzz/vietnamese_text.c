/* Any text that a warning may hold: through normal form, measuring, unaccenting and speech. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "text/say_vi.h"
#include "text/text.h"

static void speak(const char *s)
{
    kg_buf out = {.max = 1U << 22};
    unsigned urls = 0;
    if (say_vi(s, &out, &urls) == KG_OK) {
        assert(kg_utf8_valid(kg_buf_str(&out), out.len));
        assert(strpbrk(kg_buf_str(&out), "0123456789") == NULL); /* no figure is left to a voice */
    }
    kg_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = size <= 4096 ? malloc(size + 1) : NULL;
    kg_buf once = {0};
    kg_buf twice = {0};
    kg_buf plain = {0};
    sms_size a;
    sms_size b;
    if (s == NULL) {
        return 0;
    }
    memcpy(s, data, size);
    s[size] = '\0';
    if (text_nfc(s, true, &once) == KG_OK) {
        assert(text_nfc(kg_buf_str(&once), true, &twice) == KG_OK &&
               strcmp(kg_buf_str(&once), kg_buf_str(&twice)) == 0);
        assert(sms_measure(kg_buf_str(&once), &a) == KG_OK && a.parts >= 1);
        (void)text_script_of(kg_buf_str(&once));
        if (text_unaccent(kg_buf_str(&once), &plain) == KG_OK) {
            assert(kg_utf8_valid(kg_buf_str(&plain), plain.len) && sms_measure(kg_buf_str(&plain), &b) == KG_OK);
        }
        speak(kg_buf_str(&once));
    }
    kg_buf_done(&once);
    kg_buf_done(&twice);
    kg_buf_done(&plain);
    free(s);
    return 0;
}

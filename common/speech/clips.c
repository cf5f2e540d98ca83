#include "speech/clips.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "speech/wav.h"
#include "text/text.h"

enum { CATALOGUE_MAX = 4 * 1024 * 1024, COLUMNS = 6, HASH_TEXT = 2 * ALERT_HASH_BYTES + 1 };

static const int64_t DAY_MS = 24 * 3600 * INT64_C(1000);

struct clips {
    kg_arena mem;
    char *dir;
    clip *items;
    size_t count;
};

/* One sentence as it is compared: NFC, blanks single, without the full stop that ends it. */
static kg_err plain(const char *s, size_t n, kg_buf *out)
{
    kg_buf one = {0}, nfc = {0};
    kg_err e = kg_buf_put(&one, s, n);
    if (e == KG_OK) {
        e = text_nfc(kg_buf_str(&one), true, &nfc);
    }
    bool blank = false;
    for (const char *p = kg_buf_str(&nfc); *p != '\0' && e == KG_OK; p++) {
        const bool white = strchr(" \t\r\n", *p) != NULL;
        if (!white && blank && out->len > 0) {
            e = kg_buf_put(out, " ", 1);
        }
        if (!white && e == KG_OK) {
            e = kg_buf_put(out, p, 1);
        }
        blank = white;
    }
    kg_buf_done(&nfc);
    kg_buf_done(&one);
    return e;
}

/* The length of the sentence at s with what ends it; *words the part of it that is compared. */
static size_t sentence(const char *s, size_t *words)
{
    const size_t n = strlen(s);
    size_t at = 0;
    while (at < n) {
        uint32_t cp = 0;
        const size_t len = kg_utf8_next(s + at, n - at, &cp);
        if (len == 0) {
            break;
        }
        /* Khmer: khan (17D4), bariyoosan (17D5), khmer question mark is Latin's */
        if (cp == '.' || cp == '!' || cp == '?' || cp == '\n' || cp == 0x17D4 || cp == 0x17D5) {
            *words = at;
            return at + len;
        }
        at += len;
    }
    *words = n;
    return n;
}

static kg_err date_read(const char *text, int64_t *out)
{
    char time[48];
    int offset = 0;
    unsigned slips = 0;
    int64_t midnight = 0;
    if (strcmp(text, "-") == 0) {
        *out = 0;
        return KG_OK;
    }
    if (strlen(text) != 10 || snprintf(time, sizeof time, "%sT00:00:00+07:00", text) < 0) {
        return KG_E_INVALID;
    }
    const kg_err e = kg_time_read(time, KG_VN_OFFSET_MIN, &midnight, &offset, &slips);
    if (e == KG_OK) {
        *out = midnight + DAY_MS;
    }
    return e;
}

static size_t split(char *line, char *columns[COLUMNS])
{
    size_t n = 0;
    for (char *p = line; p != NULL; n++) {
        char *tab = strchr(p, '\t');
        if (tab != NULL) {
            *tab = '\0';
        }
        if (n < COLUMNS) {
            columns[n] = p;
        }
        p = tab != NULL ? tab + 1 : NULL;
    }
    return n;
}

static const char *text_keep(clips *c, const char *s, kg_err *e)
{
    kg_buf text = {0};
    size_t words = 0;
    const size_t all = sentence(s, &words);
    if (s[all] != '\0' && s[all + strspn(s + all, " ")] != '\0') {
        *e = KG_E_LIMIT; /* more than one sentence: it could never be found again */
    } else {
        *e = plain(s, words, &text);
    }
    const char *kept = *e == KG_OK ? kg_arena_str(&c->mem, kg_buf_str(&text)) : NULL;
    kg_buf_done(&text);
    if (*e == KG_OK && kept == NULL) {
        *e = KG_E_NOMEM;
    }
    return kept;
}

static kg_err row_read(clips *c, char *line, clip *out, kg_diag *diag)
{
    char *col[COLUMNS] = {0};
    char *end = NULL;
    kg_err e = KG_OK;
    if (split(line, col) != COLUMNS) {
        return kg_fail(diag, KG_E_INVALID,
                       "needs six columns: hash, language, text, ms, reviewer, valid-until, with tabs between");
    }
    if (!kg_hex_read(col[0], out->hash.b, sizeof out->hash.b)) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\" is no hash of 64 hexadecimal digits", col[0]);
    }
    errno = 0;
    out->length_ms = strtol(col[3], &end, 10);
    if (errno != 0 || end == col[3] || *end != '\0' || out->length_ms <= 0) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\" is no length in milliseconds", col[3]);
    }
    if (date_read(col[5], &out->valid_until_ms) != KG_OK) {
        return kg_fail(diag, KG_E_INVALID, "\"%s\" is no date; write 2027-06-30, or - for no end", col[5]);
    }
    out->text = text_keep(c, col[2], &e);
    if (e != KG_OK) {
        return kg_fail(diag, e == KG_E_NOMEM ? e : KG_E_INVALID,
                       e == KG_E_LIMIT ? "one recording says one sentence; \"%s\" is more" : "text \"%s\" is not UTF-8",
                       col[2]);
    }
    if (col[1][0] == '\0' || !text_fits_language(out->text, col[1])) {
        return kg_fail(diag, KG_E_INVALID, "the text is not written as language \"%s\" is", col[1]);
    }
    out->language = kg_arena_str(&c->mem, col[1]);
    out->reviewer = kg_arena_str(&c->mem, strcmp(col[4], "-") == 0 ? "" : col[4]);
    return out->language != NULL && out->reviewer != NULL ? KG_OK : kg_fail(diag, KG_E_NOMEM, "no memory");
}

static size_t lines(const char *s)
{
    size_t n = 1;
    for (; (s = strchr(s, '\n')) != NULL; s++) {
        n++;
    }
    return n;
}

static kg_err catalogue_read(clips *c, const char *path, char *text, kg_diag *diag)
{
    const size_t most = lines(text) < CLIPS_MAX ? lines(text) : CLIPS_MAX;
    c->items = kg_arena_array(&c->mem, most, sizeof *c->items);
    if (c->items == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "%s: no memory", path);
    }
    unsigned number = 1;
    for (char *line = text, *next = NULL; line != NULL; line = next, number++) {
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        line[strcspn(line, "\r")] = '\0';
        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }
        if (c->count == most) {
            return kg_fail(diag, KG_E_LIMIT, "%s:%u: more than %d recordings", path, number, CLIPS_MAX);
        }
        clip *one = &c->items[c->count];
        kg_err e = row_read(c, line, one, diag);
        if (e == KG_OK && clips_find(c, &one->hash) != NULL) {
            e = kg_fail(diag, KG_E_INVALID, "the same recording stands twice in the catalogue");
        }
        if (e != KG_OK) {
            return kg_fail_in(diag, e, "%s:%u: ", path, number);
        }
        c->count++;
    }
    return KG_OK;
}

kg_err clips_open(const char *dir, clips **out, kg_diag *diag)
{
    char path[PATH_MAX];
    kg_buf text = {.max = CATALOGUE_MAX};
    clips *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return kg_fail(diag, KG_E_NOMEM, "no memory for the catalogue of recordings");
    }
    kg_err e = KG_OK;
    if ((size_t)snprintf(path, sizeof path, "%s/catalogue.tsv", dir) >= sizeof path) {
        e = kg_fail(diag, KG_E_LIMIT, "%s: the path is too long", dir);
    }
    if (e == KG_OK) {
        c->dir = kg_arena_str(&c->mem, dir);
        e = c->dir != NULL ? kg_file_read(path, CATALOGUE_MAX, &text, diag) : kg_fail(diag, KG_E_NOMEM, "no memory");
    }
    if (e == KG_OK && text.len > 0) {
        e = kg_utf8_valid(text.s, text.len) ? catalogue_read(c, path, text.s, diag)
                                            : kg_fail(diag, KG_E_INVALID, "%s: not UTF-8", path);
    }
    kg_buf_done(&text);
    if (e != KG_OK) {
        clips_close(&c);
        return e;
    }
    *out = c;
    return KG_OK;
}

void clips_close(clips **c)
{
    if (c != NULL && *c != NULL) {
        kg_arena_done(&(*c)->mem);
        free(*c);
        *c = NULL;
    }
}

size_t clips_count(const clips *c)
{
    return c->count;
}

const clip *clips_find(const clips *c, const alert_hash *hash)
{
    for (size_t i = 0; i < c->count; i++) {
        if (memcmp(c->items[i].hash.b, hash->b, sizeof hash->b) == 0) {
            return &c->items[i];
        }
    }
    return NULL;
}

kg_err clips_check(const clip *one, int64_t now_ms, kg_diag *diag)
{
    if (one->reviewer[0] == '\0') {
        return kg_fail(
            diag, KG_E_DENIED,
            "nobody has reviewed the recording \"%s\" (%s); enter the reviewer in catalogue.tsv once somebody "
            "has listened to it",
            one->text, one->language);
    }
    if (one->valid_until_ms != 0 && now_ms >= one->valid_until_ms) {
        return kg_fail(diag, KG_E_EXPIRED, "the recording \"%s\" (%s) is past its valid-until date", one->text,
                       one->language);
    }
    return KG_OK;
}

/* The best recording of a sentence: the first that is fit; else the reason why the last one is not. */
static kg_err sentence_find(const clips *c, const char *language, const char *text, int64_t now_ms, const clip **out,
                            kg_diag *diag)
{
    kg_err e = kg_fail(diag, KG_E_NOTFOUND, "no recording says \"%s\" (%s)", text, language);
    for (size_t i = 0; i < c->count && e != KG_OK; i++) {
        const clip *one = &c->items[i];
        if (strcmp(one->text, text) == 0 && strcmp(one->language, language) == 0) {
            e = clips_check(one, now_ms, diag);
            *out = e == KG_OK ? one : *out;
        }
    }
    return e;
}

kg_err clips_saying(const clips *c, const char *language, const char *text, int64_t now_ms, const clip **order,
                    size_t *count, kg_diag *diag)
{
    size_t n = 0;
    kg_buf one = {0};
    kg_err e = KG_OK;
    for (const char *p = text; *p != '\0' && e == KG_OK;) {
        size_t words = 0;
        const size_t all = sentence(p, &words);
        if (all == 0) {
            e = kg_fail(diag, KG_E_INVALID, "the text is not UTF-8");
            break;
        }
        kg_buf_clear(&one);
        e = plain(p, words, &one);
        if (e == KG_OK && one.len > 0) {
            e = n < CLIPS_IN_TEXT_MAX
                    ? sentence_find(c, language, kg_buf_str(&one), now_ms, &order[n], diag)
                    : kg_fail(diag, KG_E_LIMIT, "more than %d recorded sentences in one text", CLIPS_IN_TEXT_MAX);
            n++;
        }
        p += all;
    }
    kg_buf_done(&one);
    if (e == KG_OK && n == 0) {
        e = kg_fail(diag, KG_E_INVALID, "there is nothing to say");
    }
    if (e == KG_OK) {
        *count = n;
    }
    return e;
}

kg_err clips_load(const clips *c, const clip *one, int64_t now_ms, kg_buf *samples, kg_diag *diag)
{
    char path[PATH_MAX], name[HASH_TEXT];
    kg_buf file = {0};
    kg_hex(one->hash.b, sizeof one->hash.b, name);
    kg_err e = clips_check(one, now_ms, diag);
    if (e != KG_OK) {
        return e;
    }
    if ((size_t)snprintf(path, sizeof path, "%s/%s.wav", c->dir, name) >= sizeof path) {
        return kg_fail(diag, KG_E_LIMIT, "%s: the path is too long", c->dir);
    }
    e = kg_file_read(path, WAV_FILE_MAX, &file, diag);
    if (e == KG_OK) {
        const alert_hash is = alert_hash_of(kg_buf_str(&file), file.len);
        e = memcmp(is.b, one->hash.b, sizeof is.b) == 0
                ? KG_OK
                : kg_fail(diag, KG_E_INVALID, "%s: its hash is another: the recording was altered or damaged", path);
    }
    const size_t before = samples->len;
    if (e == KG_OK) {
        e = wav_parse(kg_buf_str(&file), file.len, samples, diag);
    }
    const int64_t length = (int64_t)(samples->len - before) / 2 * 1000 / WAV_RATE;
    if (e == KG_OK && llabs((long long)(length - one->length_ms)) > CLIPS_LENGTH_SLACK_MS) {
        samples->len = before;
        e = kg_fail(diag, KG_E_INVALID, "%s: lasts %lld ms, the catalogue says %lld", path, (long long)length,
                    (long long)one->length_ms);
    }
    kg_buf_done(&file);
    return e;
}

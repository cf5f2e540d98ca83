#include "base/log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 8192, LINE_USUAL_BYTES = 250, RUN_MAX = 32 };

static const char *program_name = "keng";
static kg_level most_shown = KG_INFO;

void kg_log_open(const char *program, kg_level most)
{
    program_name = program;
    most_shown = most;
}

/* C1 controls, line and paragraph separators, and what turns the direction of writing around. */
static bool is_hidden(uint32_t cp)
{
    return (cp >= 0x80 && cp <= 0x9F) || (cp >= 0x2028 && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069);
}

/* How many bytes from s on stand for themselves, a few at a time: a line that is full loses no more than that. */
static size_t plain_run(const char *s)
{
    size_t n = 0;
    while (n < RUN_MAX && s[n] >= 0x20 && s[n] < 0x7F && s[n] != '"' && s[n] != '\\') {
        n++;
    }
    return n;
}

/* Nothing from outside can end the line, pretend to be another field, or steer the terminal that shows it. */
static void put_escaped(kg_buf *line, const char *s)
{
    const bool quote = s[0] == '\0' || strpbrk(s, " \"=\\") != NULL;
    if (quote) {
        kg_ignore(kg_buf_puts(line, "\""));
    }
    for (size_t left = strlen(s); left > 0;) {
        const size_t run = plain_run(s);
        if (run > 0) {
            kg_ignore(kg_buf_put(line, s, run));
            s += run;
            left -= run;
            continue;
        }
        uint32_t cp = 0;
        const size_t n = kg_utf8_next(s, left, &cp);
        if (cp == '"' || cp == '\\') {
            kg_ignore(kg_buf_putf(line, "\\%c", (int)cp));
        } else if (n == 0 || cp < 0x20 || cp == 0x7F) {
            kg_ignore(kg_buf_putf(line, "\\x%02x", (unsigned char)*s));
        } else if (is_hidden(cp)) {
            kg_ignore(kg_buf_putf(line, "\\u%04x", (unsigned)cp));
        } else {
            kg_ignore(kg_buf_put(line, s, n));
        }
        s += n > 0 ? n : 1;
        left -= n > 0 ? n : 1;
    }
    if (quote) {
        kg_ignore(kg_buf_puts(line, "\""));
    }
}

void kg_log_fields(kg_level level, const char *event, const kg_field *fields)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (level > most_shown) {
        return;
    }
    char when[KG_TIME_TEXT_MAX];
    kg_time_text(kg_clock_wall_ms(), 0, when);
    kg_buf line = {.max = LINE_MAX_BYTES - 1};
    kg_ignore(kg_buf_reserve(&line, LINE_USUAL_BYTES)); /* else it grows */
    kg_ignore(kg_buf_putf(&line, "%s %.19s %s %s", names[level], when, program_name, event));
    for (const kg_field *f = fields; f->key != NULL; f++) {
        kg_ignore(kg_buf_put(&line, " ", 1));
        kg_ignore(kg_buf_puts(&line, f->key));
        kg_ignore(kg_buf_put(&line, "=", 1));
        if (f->text != NULL) {
            put_escaped(&line, f->text);
        } else {
            kg_ignore(kg_buf_putf(&line, "%" PRId64, f->number));
        }
    }
    line.max = LINE_MAX_BYTES; /* a line that was cut still ends */
    kg_ignore(kg_buf_puts(&line, "\n"));
    /* One write: lines of several processes on one terminal do not mix. Nothing can be done if it fails. */
    if (line.s != NULL && write(STDERR_FILENO, line.s, line.len) < 0) {
        kg_buf_done(&line);
        return;
    }
    kg_buf_done(&line);
}

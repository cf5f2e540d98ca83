/* One fault a row, one rule of cap.md, one verdict. The base document has no finding at all. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/cap/capdoc.h"

typedef struct rule_row {
    const char *label, *find, *with;
    cap_verdict want;
    const char *rule; /* "" none */
} rule_row;

/* Reads with no zone configured; only the named rule may be broken (others stay silent unless `more`). */
static void check_row(const rule_row *row, int assume)
{
    kg_buf xml = {0};
    cap_reading r;
    capdoc_change(row->find, row->with, &xml);
    assert_int_equal(cap_read(xml.s, xml.len, assume, &r, NULL), KG_OK);
    const cap_document *d = &r.documents[0];
    const bool told = *row->rule == '\0' ? d->finding_count == 0 : capdoc_has(d, row->rule, row->want);
    bool only = true;
    for (size_t i = 0; i < d->finding_count; i++) {
        only = only && strcmp(d->findings[i].rule, row->rule) == 0;
    }
    if (r.count != 1 || d->verdict != row->want || !told || !only || d->has_alert != (row->want != CAP_REFUSE)) {
        capdoc_fail(row->label, &r);
    }
    cap_reading_done(&r);
    kg_buf_done(&xml);
}

#define ROWS(name, assume, ...)                                                                                        \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        static const rule_row rows[] = {__VA_ARGS__};                                                                  \
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {                                                    \
            check_row(&rows[i], assume);                                                                               \
        }                                                                                                              \
    }

ROWS(document_rules, INT_MIN, {"no fault", "", "", CAP_ACCEPT, ""},
     {"a comment and an instruction are nothing", "<note>thử</note>", "<!-- <alert> --><?style x?><note>thử</note>",
      CAP_ACCEPT, ""},
     {"CDATA is text", "<note>thử</note>", "<note><![CDATA[a < b & c]]></note>", CAP_ACCEPT, ""},
     {"DOC-1 not well-formed", "</info>", "</inf>", CAP_REFUSE, "DOC-1"},
     {"DOC-1 another namespace", "cap:1.2", "cap:1.3", CAP_REFUSE, "DOC-1"},
     {"DOC-1 no namespace", " xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"", "", CAP_REFUSE, "DOC-1"},
     {"DOC-1 an entity nobody declared", "<note>thử", "<note>&nbsp;", CAP_REFUSE, "DOC-1"},
     {"DOC-1 two roots", "</alert>\n", "</alert><alert/>", CAP_REFUSE, "DOC-1"},
     {"DOC-1 cut off", "</info>\n</alert>\n", "", CAP_REFUSE, "DOC-1"},
     {"DOC-2 CAP 1.1", "cap:1.2", "cap:1.1", CAP_WARN, "DOC-2"},
     {"DOC-2 CAP 1.0", "urn:oasis:names:tc:emergency:cap:1.2", "http://www.incident.com/cap/1.0", CAP_WARN, "DOC-2"},
     {"DOC-3 a DOCTYPE", "<alert xmlns", "<!DOCTYPE alert><alert xmlns", CAP_REFUSE, "DOC-3"},
     {"DOC-3 a DOCTYPE in capitals and blanks", "<alert xmlns",
      "<!DOCTYPE\nalert [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><alert xmlns", CAP_REFUSE, "DOC-3"},
     {"DOC-4 an encoding we do not read", "encoding=\"UTF-8\"", "encoding=\"UTF-16\"", CAP_REFUSE, "DOC-4"},
     {"DOC-4 UTF-7", "encoding=\"UTF-8\"", "encoding='utf-7'", CAP_REFUSE, "DOC-4"},
     {"DOC-4 bytes that are no UTF-8", "thử", "th\xfc", CAP_REFUSE, "DOC-4"},
     {"DOC-4 no declaration is UTF-8", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "", CAP_ACCEPT, ""},
     {"DOC-5 escaped twice", "Mặn vào sâu.", "Mặn &amp;amp; hạn", CAP_WARN, "DOC-5"},
     {"DOC-5 HTML as text", "Mặn vào sâu.", "Mặn&lt;br/&gt;sâu", CAP_WARN, "DOC-5"},
     {"DOC-5 less-than is no HTML", "Mặn vào sâu.", "Mặn &lt; 4 g/l và &gt; 1", CAP_ACCEPT, ""},
     {"DOC-5 markup inside text", "Mặn vào sâu.", "Mặn <b>vào</b> sâu", CAP_WARN, "DOC-5"},
     {"DOC-6 order in alert", "<status>Actual</status>\n<msgType>Update</msgType>",
      "<msgType>Update</msgType>\n<status>Actual</status>", CAP_WARN, "DOC-6"},
     {"DOC-6 value before valueName", "<valueName>x</valueName><value>1</value>",
      "<value>1</value><valueName>x</valueName>", CAP_WARN, "DOC-6"},
     {"DOC-6 a text twice is kept together", "<instruction>Trữ nước.</instruction>",
      "<instruction>Trữ nước.</instruction><instruction>Đo mặn.</instruction>", CAP_WARN, "DOC-6"},
     {"DOC-6 no event", "<event>Xâm nhập mặn</event>", "", CAP_WARN, "DOC-6"},
     {"DOC-6 text in place of a pair", "<valueName>x</valueName><value>1</value>", "x=1", CAP_WARN, "DOC-6"},
     {"DOC-7 an unknown element", "<note>thử</note>", "<note>thử</note><mood>good</mood>", CAP_WARN, "DOC-7"},
     {"DOC-7 of another namespace", "<contact>112", "<y:x xmlns:y='urn:y'>1</y:x><contact>112", CAP_WARN, "DOC-7"},
     {"DOC-13 an empty code", "<code>profile:CAP-VN:1.0</code>", "<code></code>", CAP_WARN, "DOC-13"},
     {"DOC-13 an empty circle", "<circle>9.7,106.2 3</circle>", "<circle/>", CAP_WARN, "DOC-13"},
     {"DOC-13 an empty time", "<onset>2026-03-20T15:00:00+07:00</onset>", "<onset> </onset>", CAP_WARN, "DOC-13"},
     {"DOC-14 white space around", "<status>Actual", "<status>\n actual\t", CAP_ACCEPT, ""},
     {"SIG", "</info>\n", "</info><Signature xmlns='http://www.w3.org/2000/09/xmldsig#'><a/></Signature>", CAP_WARN,
      "SIG"})

ROWS(alert_rules, INT_MIN, {"ALT-1 no identifier", "<identifier>VN-1</identifier>", "", CAP_REFUSE, "ALT-1"},
     {"ALT-1 a blank", "VN-1<", "VN 1<", CAP_WARN, "ALT-1"},
     {"ALT-1 an ampersand", "VN-1<", "VN&amp;1<", CAP_WARN, "ALT-1"},
     {"ALT-1 a comma cannot be referred to", "VN-1<", "VN,1<", CAP_HOLD, "ALT-1"},
     {"ALT-3 Zulu", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T07:00:00Z", CAP_WARN, "ALT-3"},
     {"ALT-3 a fraction", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T14:00:00.5+07:00", CAP_WARN, "ALT-3"},
     {"ALT-3 +00:00", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T07:00:00+00:00", CAP_WARN, "ALT-3"},
     {"ALT-3 -00:00 is right", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T07:00:00-00:00", CAP_ACCEPT, ""},
     {"ALT-3 no zone and none configured", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T14:00:00", CAP_REFUSE,
      "ALT-3"},
     {"ALT-3 no sent", "<sent>2026-03-20T14:00:00+07:00</sent>", "", CAP_REFUSE, "ALT-3"},
     {"ALT-4 no such day", "<sent>2026-03-20T", "<sent>2026-02-30T", CAP_REFUSE, "ALT-4"},
     {"ALT-4 29 February of no leap year", "<sent>2026-03-20T", "<sent>2026-02-29T", CAP_REFUSE, "ALT-4"},
     {"ALT-4 zone beyond 14 hours", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T14:00:00+14:01", CAP_REFUSE,
      "ALT-4"},
     {"ALT-4 the schema's comma", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T14:00:00,07:00", CAP_REFUSE,
      "ALT-4"},
     {"ALT-4 a blank for the T", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20 14:00:00", CAP_REFUSE, "ALT-4"},
     {"ALT-4 hour 24", "<sent>2026-03-20T14:", "<sent>2026-03-20T24:", CAP_REFUSE, "ALT-4"},
     {"ALT-4 a leap second", "<onset>2026-03-20T15:00:00", "<onset>2026-03-20T15:59:60", CAP_WARN, "ALT-4"},
     {"ALT-6 no status", "<status>Actual</status>", "", CAP_REFUSE, "ALT-6"},
     {"ALT-6 an unknown one is never Actual", "<status>Actual", "<status>Real", CAP_REFUSE, "ALT-6"},
     {"ALT-6 Exercise is read", "<status>Actual", "<status>Exercise", CAP_ACCEPT, ""},
     {"ALT-7 an unknown type", "<msgType>Update", "<msgType>Revoke", CAP_REFUSE, "ALT-7"},
     {"ALT-7 no type", "<msgType>Update</msgType>", "", CAP_REFUSE, "ALT-7"},
     {"ALT-8 Restricted to nobody", "<scope>Public", "<scope>Restricted", CAP_HOLD, "ALT-8"},
     {"ALT-8 Private to nobody", "<scope>Public", "<scope>Private", CAP_HOLD, "ALT-8"},
     {"ALT-8 Private to somebody", "<scope>Public</scope>",
      "<scope>Private</scope><addresses>b@example.vn \"đội 3\"</addresses>", CAP_ACCEPT, ""},
     {"ALT-8 Restricted to somebody", "<scope>Public</scope>",
      "<scope>Restricted</scope><restriction>trưởng ấp</restriction>", CAP_ACCEPT, ""},
     {"ALT-8 a restriction of nothing", "<scope>Public</scope>",
      "<scope>Public</scope><restriction>trưởng ấp</restriction>", CAP_WARN, "ALT-8"},
     {"ALT-8 no scope is not Public", "<scope>Public</scope>", "", CAP_HOLD, "ALT-8"},
     {"ALT-9 not a triple", "a@example.vn,VN-0,2026-03-19T14:00:00+07:00", "VN-0", CAP_WARN, "ALT-9"},
     {"ALT-9 joined by commas", "a@example.vn,VN-0,2026-03-19T14:00:00+07:00",
      "a,b,2026-03-19T14:00:00+07:00,a,c,2026-03-19T15:00:00+07:00", CAP_WARN, "ALT-9"},
     {"ALT-9 itself and another", "a@example.vn,VN-0,2026-03-19T14:00:00+07:00",
      "a@example.vn,VN-1,2026-03-20T14:00:00+07:00 a@example.vn,VN-0,2026-03-19T14:00:00+07:00", CAP_WARN, "ALT-9"},
     {"ALT-9 a later one", "a@example.vn,VN-0,2026-03-19T14:00:00+07:00", "a@example.vn,VN-0,2026-03-21T14:00:00+07:00",
      CAP_WARN, "ALT-9"},
     {"ALT-9 its own name, sent before, is another message", "a@example.vn,VN-0,2026-03-19T14:00:00+07:00",
      "a@example.vn,VN-1,2026-03-19T14:00:00+07:00", CAP_ACCEPT, ""},
     {"ALT-10 an Update of nothing", "<references>a@example.vn,VN-0,2026-03-19T14:00:00+07:00</references>\n", "",
      CAP_WARN, "ALT-10"},
     {"ALT-14 a WMO look-alike", "VN-1<", "2.49.0.7.704.1<", CAP_WARN, "ALT-14"},
     {"ALT-14 a WMO one", "VN-1<", "urn:oid:2.49.0.1.704.0.2026.3.20<", CAP_ACCEPT, ""})

ROWS(info_rules, INT_MIN, {"INF-1 an underscore", "<language>vi", "<language>vi_VN", CAP_WARN, "INF-1"},
     {"INF-1 capitals", "<language>vi", "<language>VI", CAP_ACCEPT, ""},
     {"INF-1 a word", "<language>vi", "<language>vietnamese", CAP_WARN, "INF-1"},
     {"INF-1 no tag", "<language>vi", "<language>???", CAP_WARN, "INF-1"},
     {"INF-3 no category", "<category>Met</category>", "", CAP_WARN, "INF-3"},
     {"INF-3 a word for a category", "<category>Met", "<category>Meteorological", CAP_WARN, "INF-3"},
     {"INF-3 an unknown response", "<responseType>Prepare", "<responseType>Run", CAP_WARN, "INF-3"},
     {"INF-3 no severity", "<severity>Severe</severity>", "", CAP_WARN, "INF-3"},
     {"INF-3 Very Likely is Likely", "<certainty>Likely", "<certainty>Very Likely", CAP_ACCEPT, ""},
     {"INF-6 expires before effective", "<expires>2026-03-21T14", "<expires>2026-03-20T13", CAP_WARN, "INF-6"},
     {"INF-6 onset after expires", "<onset>2026-03-20T15", "<onset>2026-03-22T15", CAP_WARN, "INF-6"},
     {"INF-8 a long headline", "<headline>Mặn 4 g/l",
      "<headline>Mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn "
      "mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn mặn",
      CAP_WARN, "INF-8"},
     {"INF-10 web without scheme", "<web>https://example.vn/1", "<web>example.vn/1", CAP_WARN, "INF-10"},
     {"INF-11 Khmer tagged as Vietnamese", "Mặn vào sâu.", "ទឹកប្រៃ", CAP_WARN, "INF-11"},
     {"INF-11 Vietnamese tagged as Khmer", "<language>vi", "<language>km", CAP_WARN, "INF-11"},
     {"INF-9 no name", "<valueName>x</valueName>", "", CAP_WARN, "INF-9"},
     {"RES-1 no type", "<mimeType>image/png</mimeType>", "", CAP_WARN, "RES-1"},
     {"RES-1 no uri", "<uri>https://example.vn/m.png</uri>", "", CAP_WARN, "RES-1"},
     {"RES-1 a size in words", "<size>10<", "<size>10 KB<", CAP_WARN, "RES-1"},
     {"RES-2 an embedded file", "<uri>https://example.vn/m.png</uri>", "<uri>m</uri><derefUri>AAAA</derefUri>",
      CAP_WARN, "RES-2"},
     {"RES-5 a type of IPAWS", "image/png", "audio/x-ipaws-audio-mp3", CAP_ACCEPT, ""})

ROWS(area_rules, INT_MIN, {"ARE-1 no description", "<areaDesc>Xã Trà Cú</areaDesc>", "", CAP_WARN, "ARE-1"},
     {"ARE-2 open", "9.8,106.3 9.7,106.2<", "9.8,106.3<", CAP_WARN, "ARE-2"},
     {"ARE-2 two points", "9.7,106.2 9.7,106.3 9.8,106.3 9.7,106.2", "9.7,106.2 9.7,106.3", CAP_WARN, "ARE-2"},
     {"ARE-2 a stray bracket", "9.8,106.3 9", "9.8),106.3 9", CAP_WARN, "ARE-2"},
     {"ARE-2 commas only", "9.7,106.2 9.7,106.3 9.8,106.3 9.7,106.2", "9.7,106.2,9.7,106.3,9.8,106.3,9.7,106.2",
      CAP_WARN, "ARE-2"},
     {"ARE-2 three numbers in a pair", "9.8,106.3 9", "9.8,106.3,5 9", CAP_WARN, "ARE-2"},
     {"ARE-2 white space of any kind", "9.7,106.2 9.7,106.3 9.8,106.3 9.7,106.2",
      "\n 9.7,106.2\t9.7,106.3\n\n9.8,106.3  9.7,106.2 \n", CAP_ACCEPT, ""},
     {"ARE-3 longitude first", "9.7,106.2 9.7,106.3 9.8,106.3 9.7,106.2", "106.2,9.7 106.3,9.7 106.3,9.8 106.2,9.7",
      CAP_WARN, "ARE-3"},
     {"ARE-3 no place on earth", "9.8,106.3 9", "9.8,706.3 9", CAP_WARN, "ARE-3"},
     {"ARE-4 crossing itself", "9.7,106.2 9.7,106.3 9.8,106.3 9.7,106.2",
      "9.7,106.2 9.8,106.3 9.7,106.3 9.8,106.2 9.7,106.2", CAP_WARN, "ARE-4"},
     {"ARE-4 a point twice", "9.7,106.3 9.8", "9.7,106.3 9.7,106.3 9.8", CAP_WARN, "ARE-4"},
     {"ARE-4 no area", "9.8,106.3 9", "9.7,106.4 9", CAP_WARN, "ARE-4"},
     {"ARE-4 over the dateline", "9.7,106.2 9.7,106.3 9.8,106.3 9.7,106.2", "9.7,179 9.7,181 9.8,181 9.8,179 9.7,179",
      CAP_WARN, "ARE-4"},
     {"ARE-5 no radius", "<circle>9.7,106.2 3", "<circle>9.7,106.2", CAP_WARN, "ARE-5"},
     {"ARE-5 radius 0 is a point", "<circle>9.7,106.2 3", "<circle>9.7,106.2 0", CAP_ACCEPT, ""},
     {"ARE-5 a point behind the radius", "<circle>9.7,106.2 3", "<circle>9.7,106.2 3.", CAP_WARN, "ARE-5"},
     {"ARE-5 below zero", "<circle>9.7,106.2 3", "<circle>9.7,106.2 -3", CAP_WARN, "ARE-5"},
     {"ARE-5 longitude first", "<circle>9.7,106.2 3", "<circle>106.2,9.7 3", CAP_WARN, "ARE-3"},
     {"ARE-6 codes of others", "CAP-VN:commune", "SAME", CAP_WARN, "ARE-6"},
     {"ARE-7 not a number", "<altitude>0<", "<altitude>ground<", CAP_WARN, "ARE-7"},
     {"ARE-7 ceiling below", "<altitude>0<", "<altitude>200<", CAP_WARN, "ARE-7"},
     {"ARE-7 ceiling alone", "<altitude>0</altitude>", "", CAP_WARN, "ARE-7"})

ROWS(profile_rules, INT_MIN,
     {"a class", "<valueName>x</valueName><value>1<", "<valueName>CAP-VN:class</valueName><value>khẩn cấp<", CAP_ACCEPT,
      ""},
     {"no such class", "<valueName>x</valueName><value>1<", "<valueName>CAP-VN:class</valueName><value>gấp<", CAP_HOLD,
      "CAP-VN"},
     {"no such level", "<valueName>x</valueName><value>1<", "<valueName>CAP-VN:risk-level</valueName><value>6<",
      CAP_WARN, "CAP-VN"},
     {"an unknown key", "<valueName>x</valueName><value>1<", "<valueName>CAP-VN:colour</valueName><value>6<", CAP_WARN,
      "CAP-VN"},
     {"an accented SMS", "<valueName>x</valueName><value>1<", "<valueName>CAP-VN:sms</valueName><value>Mặn<", CAP_WARN,
      "CAP-VN"},
     {"a name for a code", "<valueName>x</valueName><value>1<",
      "<valueName>CAP-VN:worst-hit</valueName><value>29461 Bến Tre<", CAP_WARN, "CAP-VN"},
     {"no time", "<valueName>x</valueName><value>1<", "<valueName>CAP-VN:next-bulletin</valueName><value>mai<",
      CAP_WARN, "CAP-VN"},
     {"neither true nor false", "<valueName>x</valueName><value>1<",
      "<valueName>CAP-VN:first-warning</valueName><value>maybe<", CAP_WARN, "CAP-VN"},
     {"contradicts itself", "<parameter><valueName>x</valueName><value>1</value></parameter>",
      "<parameter><valueName>CAP-VN:class</valueName><value>urgent</value></"
      "parameter><parameter><valueName>CAP-VN:class</valueName><value>routine</value></parameter>",
      CAP_HOLD, "CAP-VN"})

ROWS(a_configured_zone, 420,
     {"ALT-3 the zone is taken", "<sent>2026-03-20T14:00:00+07:00", "<sent>2026-03-20T14:00:00", CAP_WARN, "ALT-3"},
     {"ALT-3 of expires, too", "<expires>2026-03-21T14:00:00+07:00", "<expires>2026-03-21T14:00:00", CAP_WARN, "ALT-3"})

/* Faults that bring others with them: the named rule must be among the findings. */
static void rules_that_come_together(void **state)
{
    (void)state;
    static const struct {
        const char *label, *document, *rule;
        cap_verdict finding, want;
    } rows[] = {
#define TOP(type)                                                                                                      \
    "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><identifier>i</identifier><sender>s</sender>"                 \
    "<sent>2026-03-20T14:00:00+07:00</sent><status>Actual</status><msgType>" type "</msgType><scope>Public</scope>"
#define INFO(body)                                                                                                     \
    "<info><language>vi</language><category>Met</category><event>e</event><urgency>Past</urgency>"                     \
    "<severity>Minor</severity><certainty>Likely</certainty>" body "</info>"
#define CODE                                                                                                           \
    "<area><areaDesc>a</areaDesc><geocode><valueName>CAP-VN:commune</valueName><value>29461</value></geocode></area>"
        {"ALT-10 a Cancel of nothing", TOP("Cancel") "</alert>", "ALT-10", CAP_REFUSE, CAP_REFUSE},
        {"ALT-10 an Ack of nothing", TOP("Ack") "</alert>", "ALT-10", CAP_REFUSE, CAP_REFUSE},
        {"ALT-10 a Cancel of itself", TOP("Cancel") "<references>s,i,2026-03-20T14:00:00+07:00</references></alert>",
         "ALT-10", CAP_REFUSE, CAP_REFUSE},
        {"ALT-9 and of itself only", TOP("Cancel") "<references>s,i,2026-03-20T14:00:00+07:00</references></alert>",
         "ALT-9", CAP_WARN, CAP_REFUSE},
        {"a Cancel needs no info", TOP("Cancel") "<references>s,j,2026-03-20T13:00:00+07:00</references></alert>", "",
         CAP_ACCEPT, CAP_ACCEPT},
        {"ALT-13 an Alert without info", TOP("Alert") "</alert>", "ALT-13", CAP_HOLD, CAP_HOLD},
        {"ALT-6 a status twice is not guessed", TOP("Alert") "<status>Exercise</status></alert>", "ALT-6", CAP_REFUSE,
         CAP_REFUSE},
        {"INF-4 infos that differ",
         TOP("Alert") INFO("<expires>2026-03-21T14:00:00+07:00</expires>" CODE) INFO(CODE) "</alert>", "INF-4",
         CAP_WARN, CAP_WARN},
        {"ARE-9 words only", TOP("Alert") INFO("<area><areaDesc>vùng thấp</areaDesc></area>") "</alert>", "ARE-9",
         CAP_WARN, CAP_WARN},
        {"ARE-9 no area", TOP("Alert") INFO("") "</alert>", "ARE-9", CAP_WARN, CAP_WARN},
        {"ARE-3 nothing left but longitude first",
         TOP("Alert") INFO("<area><areaDesc>a</areaDesc><polygon>106.2,9.7 106.3,9.7 106.3,9.8 "
                           "106.2,9.7</polygon></area>") "</alert>",
         "ARE-3", CAP_HOLD, CAP_HOLD},
        {"ARE-2 nothing left but a broken ring",
         TOP("Alert") INFO("<area><areaDesc>a</areaDesc><polygon>x</polygon></area>") "</alert>", "ARE-9", CAP_WARN,
         CAP_WARN},
        {"INF-11 the same text twice",
         TOP("Alert") "<info><language>vi</language><category>Met</category><event>e</event><urgency>Past</"
                      "urgency><severity>Minor</severity><certainty>Likely</certainty><description>abc</"
                      "description>" CODE "</info><info><language>en</language><category>Met</category><event>e</"
                      "event><urgency>Past</urgency><severity>Minor</severity><certainty>Likely</"
                      "certainty><description>abc</description>" CODE "</info></alert>",
         "INF-11", CAP_WARN, CAP_WARN},
        {"DOC-2 name=value of CAP 1.0",
         "<alert "
         "xmlns='http://www.incident.com/cap/1.0'><identifier>i</identifier><sender>s</"
         "sender><sent>2026-03-20T14:00:00+07:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</"
         "scope>" INFO("<parameter>HSAS=ORANGE</parameter>" CODE) "</alert>",
         "DOC-2", CAP_WARN, CAP_WARN},
        {"DOC-1 an alert within another shell", "<alert xmlns='urn:x'>" TOP("Alert") "</alert></alert>", "DOC-1",
         CAP_REFUSE, CAP_REFUSE},
        {"DOC-7 an alert within an alert is not read", TOP("Alert") INFO(CODE) TOP("Cancel") "</alert></alert>",
         "DOC-7", CAP_WARN, CAP_WARN},
        {"empty", "", "DOC-1", CAP_REFUSE, CAP_REFUSE},
        {"not XML", "hello", "DOC-1", CAP_REFUSE, CAP_REFUSE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cap_reading r;
        assert_int_equal(cap_read(rows[i].document, strlen(rows[i].document), INT_MIN, &r, NULL), KG_OK);
        const bool told = *rows[i].rule != '\0' ? capdoc_has(&r.documents[0], rows[i].rule, rows[i].finding)
                                                : r.documents[0].finding_count == 0;
        if (r.count != 1 || r.documents[0].verdict != rows[i].want || !told) {
            capdoc_fail(rows[i].label, &r);
        }
        cap_reading_done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document_rules),
        cmocka_unit_test(alert_rules),
        cmocka_unit_test(info_rules),
        cmocka_unit_test(area_rules),
        cmocka_unit_test(profile_rules),
        cmocka_unit_test(a_configured_zone),
        cmocka_unit_test(rules_that_come_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/cap/capdoc.h"

const char capdoc_base[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                           "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n"
                           "<identifier>VN-1</identifier>\n"
                           "<sender>a@example.vn</sender>\n"
                           "<sent>2026-03-20T14:00:00+07:00</sent>\n"
                           "<status>Actual</status>\n"
                           "<msgType>Update</msgType>\n"
                           "<source>mẫu</source>\n"
                           "<scope>Public</scope>\n"
                           "<code>profile:CAP-VN:1.0</code>\n"
                           "<note>thử</note>\n"
                           "<references>a@example.vn,VN-0,2026-03-19T14:00:00+07:00</references>\n"
                           "<incidents>mặn \"hạn 2026\"</incidents>\n"
                           "<info>\n"
                           "<language>vi</language>\n"
                           "<category>Met</category>\n"
                           "<event>Xâm nhập mặn</event>\n"
                           "<responseType>Prepare</responseType>\n"
                           "<urgency>Expected</urgency>\n"
                           "<severity>Severe</severity>\n"
                           "<certainty>Likely</certainty>\n"
                           "<eventCode><valueName>OET</valueName><value>OET-1</value></eventCode>\n"
                           "<effective>2026-03-20T14:00:00+07:00</effective>\n"
                           "<onset>2026-03-20T15:00:00+07:00</onset>\n"
                           "<expires>2026-03-21T14:00:00+07:00</expires>\n"
                           "<senderName>Đài</senderName>\n"
                           "<headline>Mặn 4 g/l</headline>\n"
                           "<description>Mặn vào sâu.</description>\n"
                           "<instruction>Trữ nước.</instruction>\n"
                           "<web>https://example.vn/1</web>\n"
                           "<contact>112</contact>\n"
                           "<parameter><valueName>x</valueName><value>1</value></parameter>\n"
                           "<resource><resourceDesc>Bản đồ</resourceDesc><mimeType>image/png</mimeType><size>10</size>"
                           "<uri>https://example.vn/m.png</uri></resource>\n"
                           "<area><areaDesc>Xã Trà Cú</areaDesc>\n"
                           "<polygon>9.7,106.2 9.7,106.3 9.8,106.3 9.7,106.2</polygon>\n"
                           "<circle>9.7,106.2 3</circle>\n"
                           "<geocode><valueName>CAP-VN:commune</valueName><value>29461</value></geocode>\n"
                           "<altitude>0</altitude><ceiling>100</ceiling></area>\n"
                           "</info>\n"
                           "</alert>\n";

void capdoc_change(const char *find, const char *with, kg_buf *out)
{
    const char *at = strstr(capdoc_base, find);
    if (at == NULL || (*find != '\0' && strstr(at + 1, find) != NULL)) {
        fail_msg("\"%s\" is not in the document exactly once", find);
        return;
    }
    if (*find == '\0') {
        with = "";
    }
    assert_int_equal(kg_buf_put(out, capdoc_base, (size_t)(at - capdoc_base)), KG_OK);
    assert_int_equal(kg_buf_puts(out, with), KG_OK);
    assert_int_equal(kg_buf_puts(out, at + strlen(find)), KG_OK);
}

bool capdoc_has(const cap_document *d, const char *rule, cap_verdict v)
{
    for (size_t i = 0; i < d->finding_count; i++) {
        if (strcmp(d->findings[i].rule, rule) == 0 && d->findings[i].verdict == v && *d->findings[i].sentence != '\0') {
            return true;
        }
    }
    return false;
}

void capdoc_fail(const char *label, const cap_reading *r)
{
    for (size_t i = 0; i < r->count; i++) {
        print_error("%s: document %zu: %s\n", label, i, cap_verdict_text(r->documents[i].verdict));
        for (size_t k = 0; k < r->documents[i].finding_count; k++) {
            const cap_finding *f = &r->documents[i].findings[k];
            print_error("    %s %s line %d: %s\n", f->rule, cap_verdict_text(f->verdict), f->line, f->sentence);
        }
    }
    fail_msg("%s", label);
}

/* Honest answers of keng-capgate: an alert, a refusal, a feed. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cap/answer.h"

static const char warning[] =
    "<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><identifier>i</identifier><sender>s</sender>"
    "<sent>2026-03-20T14:05:00+07:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>"
    "<info><language>vi</language><category>Met</category><event>Xâm nhập mặn</event><urgency>Expected</urgency>"
    "<severity>Severe</severity><certainty>Likely</certainty><area><areaDesc>Xã</areaDesc><geocode>"
    "<valueName>CAP-VN:commune</valueName><value>29551</value></geocode></area></info></alert>";
static const char feed[] = "<feed xmlns='http://www.w3.org/2005/Atom'><link rel='next' href='http://example.vn/2'/>"
                           "<entry><id>a</id><link href='http://example.vn/a.cap'/></entry><entry/></feed>";

static kg_err write_seed(const char *folder, const char *name, const char *document)
{
    char path[4096];
    cap_reading r;
    kg_buf b = {0};
    kg_err e = cap_read(document, strlen(document), INT_MIN, &r, NULL);
    if (e != KG_OK) {
        return e;
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    e = answer_pack(&r, &b);
    if (e == KG_OK) {
        e = kg_file_replace(path, b.s, b.len, 0644, NULL);
    }
    kg_buf_done(&b);
    cap_reading_done(&r);
    return e;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 64;
    }
    const kg_err e[] = {write_seed(argv[1], "alert", warning), write_seed(argv[1], "refused", "<alert>"),
                        write_seed(argv[1], "feed", feed)};
    return e[0] == KG_OK && e[1] == KG_OK && e[2] == KG_OK ? 0 : 1;
}

#include <stdio.h>

#include "base/clock.h"
#include "cap/check.h"
#include "tool.h"

int cap_check_command(const cli_args *args)
{
    kg_diag diag = {{0}};
    cap_verdict worst = CAP_ACCEPT;
    for (size_t i = 0; i < args->positional_count; i++) {
        kg_buf lines = {0};
        const kg_err e = check_file(args->positional[i], KG_VN_OFFSET_MIN, &lines, &worst, &diag);
        (void)fputs(kg_buf_str(&lines), stdout);
        kg_buf_done(&lines);
        if (e != KG_OK) {
            return tool_fail(e, &diag);
        }
    }
    return worst == CAP_REFUSE ? CLI_FAILED : CLI_OK;
}

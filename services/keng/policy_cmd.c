#include <stdio.h>

#include "tool.h"

int policy_check_command(const cli_args *args)
{
    operator_config c = {0};
    kg_diag diag = {{0}};
    areas *ar = NULL;
    policy *p = NULL;
    kg_buf report = {0};
    size_t complaints = 0;
    const int status = tool_config(args, &c);
    if (status != CLI_OK) {
        return status;
    }
    kg_err e = operator_rules(&c, &ar, &p, &diag);
    if (e == KG_OK) {
        e = policy_check(p, ar, &report, &complaints);
    }
    if (e == KG_OK) {
        (void)printf("%s%zu complaint%s\n", kg_buf_str(&report), complaints, complaints == 1 ? "" : "s");
    }
    kg_buf_done(&report);
    policy_free(&p);
    areas_free(&ar);
    operator_config_done(&c);
    if (e != KG_OK) {
        return tool_fail(e, &diag);
    }
    return complaints == 0 ? CLI_OK : CLI_FAILED;
}

/* keng-sms: phones, through operators, letters to operators, Kannel, or files. */
#include "drivers/drivers.h"

int main(int argc, char **argv)
{
    static const sink_driver *const drivers[] = {&operator_driver, &mail_driver, &kannel_driver, &spool_driver};
    return sink_main(argc, argv, "keng-sms", "sends public warnings to phones", 1U << MEDIUM_SMS, drivers,
                     sizeof drivers / sizeof drivers[0]);
}

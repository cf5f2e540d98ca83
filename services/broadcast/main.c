/* keng-broadcast: radio and television, by a playout or the control room's files. */
#include "drivers.h"

int main(int argc, char **argv)
{
    static const sink_driver *const drivers[] = {&spool_driver, &liquidsoap_driver};
    return sink_main(argc, argv, "keng-broadcast", "puts public warnings on radio and television",
                     1U << MEDIUM_RADIO | 1U << MEDIUM_TV, drivers, sizeof drivers / sizeof drivers[0]);
}

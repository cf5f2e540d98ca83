/* keng-loudspeaker: commune horns, by network, sound card, folder or a person. */
#include "drivers.h"

int main(int argc, char **argv)
{
    static const sink_driver *const drivers[] = {&file_driver, &rtp_driver, &alsa_driver, &manual_driver};
    return sink_main(argc, argv, "keng-loudspeaker", "plays public warnings on commune loudspeakers",
                     1U << MEDIUM_LOUDSPEAKER, drivers, sizeof drivers / sizeof drivers[0]);
}

kg_program(keng-publisher
    SOURCES main.c publisher.c publisher_config.c author.c endings.c submit.c desk.c deskdoor.c drop.c feedpoll.c
            progress.c
    USES base config text alert areas trust policy shortform cap wire bus store svc http
    PACKAGES libcyaml)

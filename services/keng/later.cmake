kg_program(keng
    SOURCES main.c tool.c operator_config.c key_cmd.c manifest_cmd.c policy_cmd.c explain_cmd.c areas_cmd.c cap_cmd.c
            ask_cmd.c audit_cmd.c watch_cmd.c
    USES base config areas policy render shortform cap trust wire bus store svc
    PACKAGES libcyaml)

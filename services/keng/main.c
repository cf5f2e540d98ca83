#include "base/log.h"
#include "tool.h"

static const cli_option config_only[] = {TOOL_CONFIG, {NULL, NULL, NULL}};
static const cli_option no_options[] = {{NULL, NULL, NULL}};
static const cli_option key_new_options[] = {
    {"use", "USE", "actual (sign real warnings), drill (sign exercises and tests), connect (encrypt connections)"},
    {NULL, NULL, NULL},
};
static const cli_option key_manifest_options[] = {
    TOOL_CONFIG,
    {"root", "FILE", "secret file of the root key"},
    {"out", "FILE", "where the signed manifest is written"},
    {NULL, NULL, NULL},
};
static const cli_option key_list_options[] = {
    {"root", "HEX", "public key of the root"},
    {NULL, NULL, NULL},
};
static const cli_option explain_options[] = {
    TOOL_CONFIG,
    {"class", "CLASS", "for a document that states none: routine, priority or urgent"},
    {"all", NULL, "also the stations that do not get it, with the reason"},
    {NULL, NULL, NULL},
};
static const cli_option ask_options[] = {
    TOOL_CONFIG,
    {"to", "NAME", "the process to ask (keng.yaml, `processes`); default: the router, or the sink of the station"},
    {"who", "NAME", "who asks, for the record; default: `who` of keng.yaml"},
    {NULL, NULL, NULL},
};

static int status(const cli_args *a)
{
    return ask_router(a, "status");
}

static int stations(const cli_args *a)
{
    return ask_router(a, "stations");
}

static int ledger(const cli_args *a)
{
    return ask_router(a, "ledger");
}

static int note(const cli_args *a)
{
    return ask_router(a, "note");
}

static int held_list(const cli_args *a)
{
    return ask_router(a, "held list");
}

static int held_show(const cli_args *a)
{
    return ask_router(a, "held show");
}

static int held_release(const cli_args *a)
{
    return ask_router(a, "held release");
}

static int held_refuse(const cli_args *a)
{
    return ask_router(a, "held refuse");
}

static int station_list(const cli_args *a)
{
    return ask_sink(a, "list");
}

static int station_show(const cli_args *a)
{
    return ask_sink(a, "show");
}

static int station_mute(const cli_args *a)
{
    return ask_sink(a, "mute");
}

static int station_unmute(const cli_args *a)
{
    return ask_sink(a, "unmute");
}

static int station_accept(const cli_args *a)
{
    return ask_sink(a, "accept");
}

static int station_reorder(const cli_args *a)
{
    return ask_sink(a, "reorder");
}

static int station_confirm(const cli_args *a)
{
    return ask_sink(a, "confirm");
}

static int station_test(const cli_args *a)
{
    return ask_sink(a, "self-test");
}

static int station_stop(const cli_args *a)
{
    return ask_sink(a, "stop");
}

static const cli_command commands[] = {
    {"key new", "FILE", "make a key; FILE gets the secret (mode 0600), the public key is printed", key_new_options, 1,
     1, key_new},
    {"key show", "FILE", "print what a secret file is for and its public key", no_options, 1, 1, key_show},
    {"key manifest", "KEYS.yaml", "sign the table of keys as the key manifest", key_manifest_options, 1, 1,
     key_manifest},
    {"key list", "MANIFEST", "print a key manifest after checking the root's signature", key_list_options, 1, 1,
     key_list},
    {"policy check", "", "check policy, stations and communes; exit 1 when there is a complaint", config_only, 0, 0,
     policy_check_command},
    {"explain", "FILE", "print the plan of a warning line by line with rule and legal basis; nothing is sent",
     explain_options, 1, 1, explain_command},
    {"areas import", "FILE.geojson", "check commune outlines and keep them for polygon and circle targeting",
     config_only, 1, 1, areas_import_command},
    {"cap check", "FILE...", "one line a document: file, verdict, rules, sentence; exit 1 when any was refused",
     no_options, 1, 10000, cap_check_command},
    {"status", "", "queue, stations, what waits for a person", ask_options, 0, 0, status},
    {"stations", "", "every station of the province: its sink, whether it can be told now, what waits for it",
     ask_options, 0, 0, stations},
    {"watch", "", "the status as it changes", ask_options, 0, 0, watch_command},
    {"ledger", "ALERT", "every target of an alert and its one state", ask_options, 1, 1, ledger},
    {"note", "ALERT TEXT", "put a remark on record, such as an operator's confirming phone call", ask_options, 2, 2,
     note},
    {"audit verify", "", "recompute the audit chain from its first row; names the row that does not fit", ask_options,
     0, 0, audit_verify},
    {"audit list", "", "the same, and every row: who did or was refused what, when and why", ask_options, 0, 0,
     audit_list},
    {"held list", "", "alerts that wait for a person", ask_options, 0, 0, held_list},
    {"held show", "ALERT", "one of them, and why it waits", ask_options, 1, 1, held_show},
    {"held release", "ALERT WHY", "let it go out; who and why are recorded", ask_options, 2, 2, held_release},
    {"held refuse", "ALERT WHY", "refuse it for good; who and why are recorded", ask_options, 2, 2, held_refuse},
    {"station list", "", "a sink's stations: playing, waiting, muted, fault, last heard", ask_options, 0, 0,
     station_list},
    {"station show", "STATION", "one station: what plays, what waits, what was played", ask_options, 1, 1,
     station_show},
    {"station mute", "STATION WHY", "play nothing but urgent warnings there", ask_options, 2, 2, station_mute},
    {"station unmute", "STATION", "end the muting", ask_options, 1, 1, station_unmute},
    {"station accept", "STATION ALERT [TIME]", "put a routine bulletin into the programme", ask_options, 2, 3,
     station_accept},
    {"station reorder", "STATION ALERT POSITION",
     "move one of the station's waiting bulletins to that place (1 is next)", ask_options, 3, 3, station_reorder},
    {"station confirm", "STATION ALERT [NOTE]", "a person has done the task of a station without machine path",
     ask_options, 2, 3, station_confirm},
    {"station refuse", "STATION ALERT NOTE", "a person could not do the task; the note says why", ask_options, 3, 3,
     ask_not_done},
    {"station self-test", "STATION", "order a self-test", ask_options, 1, 1, station_test},
    {"station stop", "STATION ALERT WHY", "stop what plays there now, and its repeats", ask_options, 3, 3,
     station_stop},
    {NULL, NULL, NULL, NULL, 0, 0, NULL},
};

static const cli face = {
    .program = tool_program,
    .summary = "the operator's tool",
    .description =
        "Keys and manifests, policy checks and explanations, and questions to running processes. It opens no "
        "file of theirs: it asks them, over an encrypted connection, by the operator's key.\n\n"
        "Exit status: 0 done; 1 refused or a complaint found; 2 usage; 3 try again later.",
    .commands = commands,
    .files = "keng.yaml: who, key, policy, communes, geometry, geometry_dir, sender, agency, processes (name, control, "
             "status, key).",
    .examples = "keng explain canh-bao.xml\nkeng ledger 3f9a12\nkeng station confirm 86.29254.loa 3f9a12",
};

int main(int argc, char **argv)
{
    kg_log_open(tool_program, KG_WARNING);
    return cli_run(&face, argc, argv);
}

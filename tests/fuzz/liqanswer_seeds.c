/* Writes one valid answer of each state into the folder given. */
#include <stdio.h>

int main(int argc, char **argv)
{
    static const char *const rows[][2] = {{"", "\"started\":0.0,\"ended\":0.0"},
                                          {"queued", "\"started\":0.0,\"ended\":0.0"},
                                          {"on_air", "\"started\":1795363514.01,\"ended\":0.0"},
                                          {"done", "\"started\":1795363514.01,\"ended\":1795363517.07"},
                                          {"cut", "\"started\":1795363514,\"ended\":1795363515"},
                                          {"removed", "\"started\":0,\"ended\":0"}};
    if (argc != 2) {
        return 2;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/answer-%zu", argv[1], i);
        FILE *f = fopen(path, "w");
        if (f == NULL) {
            perror(path);
            return 1;
        }
        (void)fprintf(f, "{\"boot\":\"1795363512176\",\"id\":\"86.radio.0123456789abcdef-0\",\"state\":\"%s\",%s}",
                      rows[i][0], rows[i][1]);
        if (fclose(f) != 0) {
            return 1;
        }
    }
    return 0;
}
